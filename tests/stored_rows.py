"""Everything that is committed in a store, superseded and withdrawn documents too, shard by shard."""

from collections.abc import Iterator

import pyarrow as pa

from bioner_core.documents import Document
from bioner_core.mentions import Mention
from bioner_core.records import Deletion
from bioner_core.store import rows
from bioner_core.store.layout import Store
from bioner_core.store.reading import read_manifests, shard_batches
from bioner_core.store.rows import RejectRow


def document_rows(store: Store) -> Iterator[Document]:
    """Every committed document version, sorted by `doc_id` within a shard."""
    for batch in _batches(store, "documents"):
        yield from rows.documents_from_arrow(batch)


def mention_rows(store: Store) -> Iterator[Mention]:
    """Every committed mention candidate, accepted or not, sorted by `doc_id` within a shard."""
    for batch in _batches(store, "mentions"):
        yield from rows.mentions_from_arrow(batch)


def reject_rows(store: Store) -> Iterator[RejectRow]:
    """Every committed reject, of records and of sentences."""
    for batch in _batches(store, "rejects"):
        yield from rows.rejects_from_arrow(batch)


def deletion_rows(store: Store) -> Iterator[Deletion]:
    """Every committed deletion."""
    for batch in _batches(store, "deletions"):
        yield from rows.deletions_from_arrow(batch)


def _batches(store: Store, table: str) -> Iterator[pa.RecordBatch]:
    for manifest in read_manifests(store):
        yield from shard_batches(store, manifest, table=table)
