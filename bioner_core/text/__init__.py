"""Text before the model: sentences with exact offsets, and the units between which tags may stand."""
