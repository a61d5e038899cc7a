"""The science of bioner: documents, tag scheme, decoding, selector, models, store.

Nothing in this package imports Beam, Ray or a command-line library.
"""

__version__ = "0.1.0"
