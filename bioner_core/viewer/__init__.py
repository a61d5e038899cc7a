"""A document with its mentions drawn over the text."""
