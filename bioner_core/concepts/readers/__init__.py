"""Readers of vocabulary files, a format each; what they give is checked by `concept.checked`."""
