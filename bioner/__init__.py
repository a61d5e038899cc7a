"""Nested biomedical entities in English and Chinese text, from Python.

    >>> import bioner
    >>> model = bioner.load_model(label_sets=["genia"])
    >>> found = model.tag("Activation of the CD28 surface receptor provides a signal in T cells.")
    >>> [(one.text, one.type) for one in found.mentions]

What stands here is what other programs may rely on; everything else may change. Importing it loads no torch.
"""

from bioner.model import Model, TaggedText, evaluate, language_of, load_model
from bioner.store import Store, open_store
from bioner_core import __version__
from bioner_core.documents import Document, Passage
from bioner_core.errors import BionerError
from bioner_core.formats.reader import read_records
from bioner_core.labels.label_set import EntityType, LabelSet, load_label_set
from bioner_core.mentions import Mention
from bioner_core.records import Deletion, Reject

__all__ = [
    "BionerError",
    "Deletion",
    "Document",
    "EntityType",
    "LabelSet",
    "Mention",
    "Model",
    "Passage",
    "Reject",
    "Store",
    "TaggedText",
    "__version__",
    "evaluate",
    "language_of",
    "load_label_set",
    "load_model",
    "open_store",
    "read_records",
]
