"""Scores of predicted mentions against gold corpora, with intervals, and the measurements behind the docs."""
