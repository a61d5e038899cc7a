"""Readers of a snapshot: its files, its documents and its mentions, all of them or those of one document.

Whoever reads a table from its beginning gets what was written: each file is compared with its digest before its first
row. Of one document the checksums of its pages must do, since a file is hundreds of megabytes long.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bioner_core.documents import Document
from bioner_core.errors import DamagedFileError, StoreError
from bioner_core.file_digest import sha256_of_file
from bioner_core.mentions import Mention
from bioner_core.store.layout import Store
from bioner_core.store.parquet_files import open_parquet
from bioner_core.store.paths import StorePath
from bioner_core.store.rows import documents_from_arrow, mentions_from_arrow
from bioner_core.store.schemas import check_schema_version, file_fact
from bioner_core.store.snapshot.snapshot_manifest import (
    SnapshotFile,
    SnapshotManifest,
    current_id,
    read_snapshot_manifest,
)
from bioner_core.store.snapshot.snapshot_schemas import PARTITION_COLUMN, row_schema
from bioner_core.store.upgrade import conform

_BATCH_ROWS = 2_000
"""Rows read at once: documents have their texts, so 2,000 of them are some megabytes."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot that was opened. It stays readable until it is removed as an old one: see `bioner compact --keep`."""

    store: Store
    manifest: SnapshotManifest
    _compared: set[str] = field(default_factory=set, repr=False, compare=False)
    """The files that were compared since it was opened: they never change, and each is compared once."""

    @property
    def folder(self) -> StorePath:
        """Where its files are."""
        return self.store.snapshot(self.manifest.snapshot_id)

    def paths(self, table: str) -> list[StorePath]:
        """The files of a table, in the order of source and `doc_id`."""
        return [self.folder / file.path for file in self.manifest.files if file.table == table]

    def paths_by_table(self) -> dict[str, list[StorePath]]:
        """The files of every table that has rows."""
        return {file.table: self.paths(file.table) for file in self.manifest.files}

    def compare(self, *tables: str) -> None:
        """Make sure that the files of these tables have the bytes that were written; reads each once.

        Raises:
            DamagedFileError: one has not, or is gone.
            StoreError: one cannot be read.
        """
        for file in self.manifest.files:
            if file.table in tables:
                self._compare(file)

    def _compare(self, file: SnapshotFile) -> None:
        if file.path in self._compared:
            return
        path = self.folder / file.path
        try:
            fault = "" if sha256_of_file(path) == file.sha256 else "has changed since it was written"
        except FileNotFoundError:
            fault = "is gone"
        except OSError as error:
            raise StoreError(f"{path}: cannot be read ({error}). Check its permissions") from error
        if fault:
            raise DamagedFileError(
                f"{path}: {fault}. Run the command again; if it stays, remove snapshots/{self.manifest.snapshot_id}, "
                "then run `bioner compact`: it is made again from the shards. `bioner verify` lists all that is wrong"
            )
        self._compared.add(file.path)

    def documents(self) -> Iterator[Document]:
        """The newest version of each document, by source and `doc_id`.

        Raises:
            StoreError: a file is damaged or gone.
        """
        for batch in self.batches("documents"):
            yield from documents_from_arrow(batch)

    def mentions(self) -> Iterator[Mention]:
        """Every candidate of these documents, accepted or not, in the same order.

        Raises:
            StoreError: a file is damaged or gone.
        """
        for batch in self.batches("mentions"):
            yield from mentions_from_arrow(batch)

    def document(self, doc_id: str) -> Document | None:
        """One document, None where there is no such one; reads only row groups that may hold it.

        Raises:
            StoreError: a file is damaged or gone.
        """
        found = (one for batch in self.batches("documents", doc_id=doc_id) for one in documents_from_arrow(batch))
        return next(iter(found), None)

    def mentions_of(self, doc_id: str) -> list[Mention]:
        """Every candidate of one document; reads only row groups that may hold it.

        Raises:
            StoreError: a file is damaged or gone.
        """
        return [one for batch in self.batches("mentions", doc_id=doc_id) for one in mentions_from_arrow(batch)]

    def batches(self, table: str, *, doc_id: str | None = None) -> Iterator[pa.RecordBatch]:
        """The rows of one of the tables that are cut by source, in the declared schema, with `source` where it has one.

        Raises:
            StoreError: a file is damaged or gone.
        """
        for file in self.manifest.files:
            if file.table == table and (doc_id is None or file.first_doc_id <= doc_id <= file.last_doc_id):
                if doc_id is None:
                    self._compare(file)
                for batch in _file_batches(self.folder / file.path, doc_id):
                    yield conform(_with_source(batch, file), row_schema(table))


def open_snapshot(store: Store) -> Snapshot | None:
    """The current snapshot, None where the store was never compacted.

    Raises:
        StoreError: it is damaged, or of a newer schema version.
    """
    while (shown := current_id(store)) is not None:
        try:
            return Snapshot(store, read_snapshot_manifest(store, shown))
        except StoreError:
            if current_id(store) == shown:
                raise
            # Another one was shown, and this one removed, between the two steps.
    return None


def _file_batches(path: StorePath, doc_id: str | None) -> Iterator[pa.RecordBatch]:
    try:
        with open_parquet(path) as parquet:
            check_schema_version(int(file_fact(parquet.schema_arrow, "schema_version") or 0), where=str(path))
            groups = range(parquet.num_row_groups)
            if doc_id is None:
                yield from parquet.iter_batches(_BATCH_ROWS)
                return
            wanted = [group for group in groups if _may_hold(parquet.metadata.row_group(group), doc_id)]
            for batch in parquet.iter_batches(_BATCH_ROWS, row_groups=wanted):
                yield batch.filter(pc.equal(batch.column("doc_id"), doc_id))
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        raise StoreError(
            f"{path}: cannot be read ({error}). Run the command again; if it stays, compact again"
        ) from error


def _may_hold(group: pq.RowGroupMetaData, doc_id: str) -> bool:
    columns = (group.column(number) for number in range(group.num_columns))
    found = next(one for one in columns if one.path_in_schema == "doc_id")
    bounds = found.statistics
    return bounds is None or not bounds.has_min_max or bool(bounds.min <= doc_id <= bounds.max)


def _with_source(batch: pa.RecordBatch, file: SnapshotFile) -> pa.RecordBatch:
    if PARTITION_COLUMN not in row_schema(file.table).names:
        return batch
    return batch.append_column(PARTITION_COLUMN, pa.array([file.source] * batch.num_rows, pa.string()))
