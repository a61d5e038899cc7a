"""The command line: commands, the options and runs that they share, and how things look in a terminal.

Imports go one way: commands -> runs -> options -> terminal. `main` imports a command only when it is called.
"""
