"""The command line: one module a verb, each thin. What a verb needs is imported when it runs, so that help is quick."""
