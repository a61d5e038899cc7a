"""The rows of the newest records of a store, which `current` finds: as Arrow batches shard by shard, and as objects."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bioner_core.documents import Document
from bioner_core.errors import StoreError
from bioner_core.mentions import Mention
from bioner_core.spoken import spoken_count
from bioner_core.store.history.current import current_shards
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Manifest, read_manifest
from bioner_core.store.mention_ids import owner_record_of
from bioner_core.store.reading import shard_batches
from bioner_core.store.rows import documents_from_arrow, mentions_from_arrow
from bioner_core.store.schemas import SCHEMAS
from bioner_core.store.snapshot.snapshot_schemas import row_schema
from bioner_core.store.upgrade import conform

_KEY_COLUMNS = ["doc_id", "version", "meta.record_number"]


@dataclass(frozen=True, slots=True)
class ShardRecords:
    """Which records of a shard are the newest of their articles; eight bytes per record."""

    shard: str
    source: str
    record_numbers: pa.Array


def newest_by_source(store: Store) -> dict[str, list[ShardRecords]]:
    """The newest records of a store, by the source of their shards.

    Raises:
        StoreError: the store is damaged, or cannot be written.
    """
    found: defaultdict[str, list[ShardRecords]] = defaultdict(list)
    for records in _newest_shards(store):
        found[records.source].append(records)
    return dict(found)


def current_documents(store: Store) -> Iterator[Document]:
    """The newest version of each article.

    Raises:
        StoreError: the store is damaged, or cannot be written.
    """
    for records in _newest_shards(store):
        for batch in document_batches(store, records):
            yield from documents_from_arrow(batch)


def current_mentions(store: Store) -> Iterator[Mention]:
    """Every mention candidate of the newest version of each article.

    Raises:
        StoreError: as `current_documents`.
    """
    for records in _newest_shards(store):
        for batch in mention_batches(store, records):
            yield from mentions_from_arrow(batch)


def document_batches(store: Store, records: ShardRecords) -> Iterator[pa.RecordBatch]:
    """The newest documents of a shard, in the declared schema.

    Raises:
        StoreError: a file is damaged or of a newer schema version, or a record is not there.
    """
    found = 0
    for batch in shard_batches(store, _manifest(store, records), table="documents"):
        rows = conform(batch, SCHEMAS["documents"])
        kept = rows.filter(pc.is_in(_record_numbers(rows), value_set=records.record_numbers))
        found += kept.num_rows
        yield kept
    if found != len(records.record_numbers):
        raise StoreError(
            f"shard {records.shard}: its index names {spoken_count(len(records.record_numbers), 'document')}, and "
            f"{found} of them are there. Remove the folder register of the store and run the same command again"
        )


def mention_batches(store: Store, records: ShardRecords) -> Iterator[pa.RecordBatch]:
    """The mention candidates of a shard's newest documents, in the declared schema.

    Raises:
        StoreError: a file is damaged or of a newer schema version.
    """
    manifest = _manifest(store, records)
    owners = _owners(store, manifest, records)
    for batch in shard_batches(store, manifest, table="mentions"):
        rows = conform(batch, SCHEMAS["mentions"])
        yield rows.filter(owners.mask(rows))


def lineage_batches(store: Store, records: ShardRecords) -> Iterator[pa.RecordBatch]:
    """Where each newest document of a shard comes from.

    Raises:
        StoreError: a file is damaged or of a newer schema version.
    """
    manifest = _manifest(store, records)
    for batch in shard_batches(store, manifest, table="documents", columns=_KEY_COLUMNS):
        numbers = _record_numbers(batch)
        rows = pa.RecordBatch.from_arrays(
            [
                batch.column("doc_id"),
                pa.array([manifest.source] * batch.num_rows, pa.string()),
                batch.column("version"),
                numbers,
                pa.array([manifest.shard_id] * batch.num_rows, pa.string()),
            ],
            schema=row_schema("lineage"),
        )
        yield rows.filter(pc.is_in(numbers, value_set=records.record_numbers))


def _newest_shards(store: Store) -> Iterator[ShardRecords]:
    for shard in current_shards(store):
        numbers = pa.array(sorted(shard.record_numbers), pa.int64())
        yield ShardRecords(shard.manifest.shard_id, shard.manifest.source, numbers)


@dataclass(frozen=True, slots=True)
class _Owners:
    """Which mentions of a shard are shown: all of `clear` documents, and of the rest those of a copy that is `newest`.

    A document is clear if its shard holds it once; of several copies the id of a mention tells whose it is. `first` is
    the least record number of each contested document version.
    """

    clear: pa.Array
    contested: pa.Array
    first: Mapping[tuple[str, int], int]
    newest: Set[int]

    def mask(self, mentions: pa.RecordBatch) -> pa.Array:
        shown = pc.is_in(mentions.column("doc_id"), value_set=self.clear).to_numpy(zero_copy_only=False)
        if len(self.contested):
            doubtful = pc.is_in(mentions.column("doc_id"), value_set=self.contested).to_numpy(zero_copy_only=False)
            for row in np.flatnonzero(doubtful):
                shown[row] = self._is_shown(mentions, int(row))
        return pa.array(shown)

    def _is_shown(self, mentions: pa.RecordBatch, row: int) -> bool:
        mention_id, doc_id, version = (mentions.column(n)[row].as_py() for n in ("mention_id", "doc_id", "doc_version"))
        first = self.first.get((doc_id, version))
        return first is not None and owner_record_of(mention_id, doc_id, first_record=first) in self.newest


def _owners(store: Store, manifest: Manifest, records: ShardRecords) -> _Owners:
    batches = shard_batches(store, manifest, table="documents", columns=_KEY_COLUMNS)
    keys = [
        (number, doc_id, version)
        for batch in batches
        for doc_id, version, number in zip(
            batch.column("doc_id").to_pylist(),
            batch.column("version").to_pylist(),
            _record_numbers(batch).to_pylist(),
            strict=True,
        )
    ]
    newest = set(records.record_numbers.to_pylist())
    times: defaultdict[str, int] = defaultdict(int)
    for _, doc_id, _ in keys:
        times[doc_id] += 1
    clear = [doc_id for number, doc_id, _ in keys if number in newest and times[doc_id] == 1]
    contested = [doc_id for doc_id, number in times.items() if number > 1]
    first: dict[tuple[str, int], int] = {}
    for number, doc_id, version in keys:
        if times[doc_id] > 1:
            first[doc_id, version] = min(number, first.get((doc_id, version), number))
    return _Owners(pa.array(clear, pa.string()), pa.array(contested, pa.string()), first, newest)


def _record_numbers(documents: pa.RecordBatch) -> pa.Array:
    return pc.struct_field(documents.column("meta"), "record_number")


def _manifest(store: Store, records: ShardRecords) -> Manifest:
    manifest = read_manifest(store, records.shard)
    if manifest is None:
        raise StoreError(f"shard {records.shard}: has gone while it was read. Run the same command again")
    return manifest
