"""Documents with their mentions, joined shard by shard: what viewers, exports and tables of mentions read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import pyarrow as pa

from bioner_core.documents import Document
from bioner_core.mentions import Mention
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Manifest
from bioner_core.store.mention_ids import owner_record
from bioner_core.store.reading import shard_batches
from bioner_core.store.rows import documents_from_arrow, mentions_from_arrow


@dataclass(frozen=True, slots=True)
class MentionConcept:
    """The likeliest concept of a mention: its CURIE and its preferred name."""

    concept_id: str
    name: str


@dataclass(frozen=True, slots=True)
class DocumentMentions:
    """One document version and its mentions in the order of the text; a parent stands before its children.

    `fingerprint` names everything that the mentions depend on (model, label sets, splitter, schema). `concepts` has, by
    mention id, what mentions are linked to, where somebody asked for it. `origin` is the key of the `DocumentOrigin` of
    a newest document, else empty.
    """

    document: Document
    mentions: tuple[Mention, ...]
    fingerprint: str = ""
    concepts: Mapping[str, MentionConcept] = field(default_factory=dict)
    origin: str = field(default="", compare=False)

    @property
    def has_nesting(self) -> bool:
        """Whether an accepted mention lies inside another one."""
        return any(one.depth > 0 and one.accepted for one in self.mentions)


def shard_documents(store: Store, manifest: Manifest) -> Iterator[DocumentMentions]:
    """Every document of a shard with all its mention candidates, by `doc_id`, then record number.

    Holds a batch of rows and the rows of one `doc_id` in memory.

    Raises:
        StoreError: a file is damaged, missing, or of a newer schema version.
    """
    documents, mentions = (shard_batches(store, manifest, table=table) for table in ("documents", "mentions"))
    yield from joined_batches(documents, mentions, fingerprint=manifest.fingerprint)


def joined_batches(
    documents: Iterable[pa.RecordBatch], mentions: Iterable[pa.RecordBatch], *, fingerprint: str = ""
) -> Iterator[DocumentMentions]:
    """`joined`, of rows of the two tables."""
    yield from joined(
        (one for batch in documents for one in documents_from_arrow(batch)),
        (one for batch in mentions for one in mentions_from_arrow(batch)),
        fingerprint=fingerprint,
    )


def joined(
    documents: Iterable[Document], mentions: Iterable[Mention], *, fingerprint: str = ""
) -> Iterator[DocumentMentions]:
    """Give each document its mentions; both must be sorted by `doc_id`. Mentions without a document are passed over."""
    groups = groupby(mentions, key=lambda mention: mention.doc_id)
    doc_id, group = next(groups, (None, iter(())))
    for wanted, copies in groupby(documents, key=lambda document: document.doc_id):
        while doc_id is not None and doc_id < wanted:
            doc_id, group = next(groups, (None, iter(())))
        found = list(group) if doc_id == wanted else []
        for document, own in _of_copies(list(copies), found):
            yield DocumentMentions(document, tuple(sorted(own, key=reading_order)), fingerprint)


def _of_copies(copies: Sequence[Document], mentions: Sequence[Mention]) -> Iterator[tuple[Document, Sequence[Mention]]]:
    """The mentions of each copy of one document: nearly always there is a single copy, whose they all are."""
    if len(copies) == 1:
        yield copies[0], mentions
        return
    first: dict[int, int] = {}
    for document in copies:
        number = document.meta.record_number
        first[document.version] = min(number, first.get(document.version, number))
    by_copy: dict[tuple[int, int], list[Mention]] = {}
    for mention in mentions:
        if mention.doc_version in first:
            number = owner_record(mention, first_record=first[mention.doc_version])
            by_copy.setdefault((mention.doc_version, number), []).append(mention)
    for document in sorted(copies, key=lambda document: document.meta.record_number):
        yield document, by_copy.get((document.version, document.meta.record_number), [])


def reading_order(mention: Mention) -> tuple[object, ...]:
    """A sort key: the order of the text, outer mentions first, label sets by name."""
    place = (mention.passage_index, mention.sentence_index, mention.label_set, mention.start, -mention.end)
    return (*place, mention.type)
