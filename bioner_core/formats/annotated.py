"""Documents that came with annotations of others: kept beside the text, apart from what bioner finds.

The store keeps the text alone. Whoever reads a file with `read_records` has the annotations too.
"""

from dataclasses import dataclass

from bioner_core.documents import Document

Infons = tuple[tuple[str, str], ...]
"""What a file says of a thing: (key, value) pairs in file order."""


@dataclass(frozen=True, slots=True)
class ForeignAnnotation:
    """An annotation that a file brings.

    `locations` are (start, end) in code points from the start of the *file's* document, as the file counts;
    `passage_index` is the passage in `Document.passages` that holds it, None when it belongs to none of them.
    `text` is the mention as the file has it. `fits` says whether the passages have this text at these places: many
    files count bytes, or the characters of another copy of the text.
    """

    annotation_id: str
    passage_index: int | None
    locations: tuple[tuple[int, int], ...]
    text: str
    infons: Infons
    fits: bool


@dataclass(frozen=True, slots=True)
class ForeignRelation:
    """A relation that a file brings: `nodes` are (id of an annotation, or concept; role)."""

    relation_id: str
    nodes: tuple[tuple[str, str], ...]
    infons: Infons


@dataclass(frozen=True, slots=True)
class ForeignDocument(Document):
    """A document with what its file said about it.

    `passage_offsets` are where each passage begins in the file's own count of the document's characters.
    """

    passage_offsets: tuple[int, ...] = ()
    annotations: tuple[ForeignAnnotation, ...] = ()
    relations: tuple[ForeignRelation, ...] = ()


def fits_text(text: str, offset: int, *, locations: tuple[tuple[int, int], ...], mention: str) -> bool:
    """Whether a text that begins at `offset` has a mention at its locations, whose pieces may have blanks between."""
    if not locations or any(not offset <= start < end <= offset + len(text) for start, end in locations):
        return False
    pieces = [text[start - offset : end - offset] for start, end in locations]
    return mention in ("".join(pieces), " ".join(pieces))
