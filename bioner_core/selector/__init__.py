"""The entity selector: which of the decoder's candidates to believe."""
