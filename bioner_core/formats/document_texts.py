"""Every text that a document has, for checks that may forget none of them."""

from collections.abc import Iterator
from itertools import chain

from bioner_core.documents import Document


def texts_of(document: Document) -> list[str]:
    """All texts of a document that a store keeps, as often as it keeps them; what foreign annotations say is not kept.

    A text that a document holds in many places, such as the heading that is the label of many passages, is one object
    here and many copies in a table.
    """
    meta = document.meta
    texts = [document.doc_id, document.source, document.lang, meta.journal, meta.year, meta.input_file]
    texts += (*meta.keywords, *chain.from_iterable(meta.ids), *(meta.publication_types or ()))
    texts += (code.code for code in meta.removed_codes)
    for heading in meta.headings or ():
        texts += (heading.vocabulary, heading.id, heading.name, heading.qualifier)
    for correction in meta.corrections or ():
        texts += (correction.kind, correction.reference, correction.doc_id)
    for passage in document.passages:
        texts += (passage.section, passage.label, passage.lang, passage.text)
    return texts


def names_of(document: Document) -> Iterator[str]:
    """Those that every mention of a document, or of a passage of it, repeats."""
    yield document.doc_id
    for passage in document.passages:
        yield passage.section
        yield passage.lang
