"""Gold corpora in the forms that people have them in, read into one: texts with the spans that humans marked."""
