"""Does every mention of a shard say what its passage says, and nest as it claims to?"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from bioner_core.documents import Passage
from bioner_core.mentions import Mention, encloses
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Manifest
from bioner_core.store.mention_ids import document_prefix, mention_prefix, owner_record
from bioner_core.store.reading import shard_batches
from bioner_core.store.rows import documents_from_arrow, mentions_from_arrow


@dataclass(frozen=True, slots=True)
class _Outline:
    """What a child must know of its parent."""

    sentence: tuple[str, int, int, str]
    start: int
    end: int
    depth: int
    accepted: bool


def mention_faults(store: Store, manifest: Manifest) -> Iterator[str]:
    """What is wrong with the mentions of a shard, in words; nothing when all is well.

    Holds the texts and the outlines of one shard in memory.
    """
    copies = _copies_of(store, manifest)
    outlines: dict[str, _Outline] = {}
    for mention in _mentions(store, manifest):
        if mention.mention_id in outlines:
            yield f"mention {mention.mention_id} occurs twice"
        outlines[mention.mention_id] = _outline(mention)
        yield from _text_faults(mention, copies)
    for mention in _mentions(store, manifest):
        fault = _nesting_fault(mention, outlines)
        if fault:
            yield f"mention {mention.mention_id} {fault}"


def _mentions(store: Store, manifest: Manifest) -> Iterator[Mention]:
    for batch in shard_batches(store, manifest, table="mentions"):
        yield from mentions_from_arrow(batch)


_Copies = dict[int, tuple[Passage, ...]]
"""The texts of each copy of one document version in a shard, by record number."""


def _copies_of(store: Store, manifest: Manifest) -> dict[tuple[str, int], _Copies]:
    found: defaultdict[tuple[str, int], _Copies] = defaultdict(dict)
    for batch in shard_batches(store, manifest, table="documents"):
        for document in documents_from_arrow(batch):
            found[document.doc_id, document.version][document.meta.record_number] = document.passages
    return dict(found)


def _texts_of(mention: Mention, copies: dict[tuple[str, int], _Copies]) -> tuple[Passage, ...] | None:
    """The texts of the document that a mention belongs to, None where there is none, or its id is not well made."""
    own = copies.get((mention.doc_id, mention.doc_version))
    if own is None:
        return None
    record = owner_record(mention, first_record=min(own))
    plain = document_prefix(mention.doc_id, mention.doc_version)
    repeat = document_prefix(mention.doc_id, mention.doc_version, repeat_of_record=record)
    return own.get(record) if mention_prefix(mention) in (plain, repeat) else None


def _text_faults(mention: Mention, copies: dict[tuple[str, int], _Copies]) -> Iterator[str]:
    texts = _texts_of(mention, copies)
    if texts is None:
        yield f"mention {mention.mention_id} belongs to no document of its shard, or is misnamed"
        return
    passage = texts[mention.passage_index] if 0 <= mention.passage_index < len(texts) else None
    if passage is None:
        yield f"mention {mention.mention_id} lies in passage {mention.passage_index} of {len(texts)}"
    elif not _says(passage.text, mention):
        yield f"mention {mention.mention_id} does not say what its passage says at {mention.start} to {mention.end}"


def _says(text: str, mention: Mention) -> bool:
    # a slice clips an end that lies past the text, so the length is compared too
    inside = 0 <= mention.start < mention.end <= len(text)
    return inside and text[mention.start : mention.end] == mention.text


def _outline(mention: Mention) -> _Outline:
    # the id's prefix would do for the document, but a misnamed mention must not hide a wrong parent
    sentence = (mention.doc_id, mention.passage_index, mention.sentence_index, mention.label_set)
    return _Outline(sentence, mention.start, mention.end, mention.depth, mention.accepted)


def _nesting_fault(mention: Mention, outlines: dict[str, _Outline]) -> str:
    if mention.parent_id is None:
        return "" if mention.depth == 0 else f"has no parent but depth {mention.depth}"
    child, parent = outlines[mention.mention_id], outlines.get(mention.parent_id)
    if parent is None or not parent.accepted:
        return f"has a parent that is missing or turned down: {mention.parent_id}"
    if parent.sentence != child.sentence or not encloses(parent, child):
        return f"is not enclosed by its parent {mention.parent_id}"
    return "" if mention.depth == parent.depth + 1 else f"has depth {mention.depth} under a parent of {parent.depth}"
