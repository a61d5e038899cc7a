"""Vocabularies: concepts with their names, read from the files of others, and the index in which names are found."""
