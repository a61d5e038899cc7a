"""Compaction: the newest version of each document in few large sorted files, beside the old snapshot, then `CURRENT`.

A snapshot is made in a hidden folder, checked, renamed, and named in `CURRENT`; a crash before that leaves the old one.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

import bioner_core
from bioner_core.errors import DamagedFileError, StoreError
from bioner_core.store.bounded_database import bounded_database
from bioner_core.store.checks.promised_file import check_shard_files
from bioner_core.store.committed import has_size
from bioner_core.store.compaction.external_sort import SortSpace, sorted_batches
from bioner_core.store.compaction.snapshot_check import SnapshotTally, check_snapshot_rows
from bioner_core.store.compaction.snapshot_place import building_folder, make_stated_folder, publish_snapshot
from bioner_core.store.compaction.snapshot_sweep import remove_folder, sweep_snapshots
from bioner_core.store.compaction.snapshot_writer import TablePlace, write_table_files
from bioner_core.store.history.current_rows import (
    ShardRecords,
    document_batches,
    lineage_batches,
    mention_batches,
    newest_by_source,
)
from bioner_core.store.history.input_order import read_input_order
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Manifest
from bioner_core.store.paths import StorePath
from bioner_core.store.query.query_views import snapshot_views
from bioner_core.store.query.summaries import summary_rows
from bioner_core.store.reading import read_manifests, shard_batches
from bioner_core.store.schemas import SCHEMA_VERSION
from bioner_core.store.snapshot.run_history import RunHistory, run_rows, shard_rows
from bioner_core.store.snapshot.snapshot_manifest import (
    SnapshotFile,
    SnapshotManifest,
    current_id,
    make_current,
    read_snapshot_manifest,
    snapshot_ids,
    write_snapshot_manifest,
)
from bioner_core.store.snapshot.snapshot_schemas import (
    SORTED_TABLES,
    SUMMARY_TABLES,
    described_file_schema,
    row_schema,
    sort_columns,
)
from bioner_core.store.sweep import sweep_orphans
from bioner_core.store.upgrade import conform

DEFAULT_FILE_BYTES = 256 * 1024 * 1024
"""Size at which a snapshot's file is closed: few files for readers, and each read in seconds."""
DEFAULT_MEMORY_BYTES = 2 * 1024**3
"""Memory of a compaction's sort; what does not fit goes to disk."""
DEFAULT_KEEP = 2
"""The current snapshot, and the one before for readers that are still in it."""

_LAYOUT = 2
"""Rises when equal shards make other snapshots than before."""

_SORT_SHARE = 0.5
"""The share of the memory that DuckDB may hold; Python, Arrow and the writer take the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionSettings:
    """How to compact: `keep` snapshots stay, the current one among them; memory and the size of files in bytes."""

    keep: int = DEFAULT_KEEP
    memory_bytes: int = DEFAULT_MEMORY_BYTES
    file_bytes: int = DEFAULT_FILE_BYTES


@dataclass(frozen=True, slots=True)
class CompactionReport:
    """What was done. `made` is false when the current snapshot already was of this state; `removed` names old ones."""

    manifest: SnapshotManifest
    made: bool
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompactionWatch:
    """What is called while compaction works: pieces planned and done; `check` before anything is removed or shown."""

    on_planned: Callable[[int], None] = lambda _: None
    on_done: Callable[[int], None] = lambda _: None
    check: Callable[[], None] = lambda: None


def compact_store(
    store: Store,
    settings: CompactionSettings | None = None,
    *,
    history: RunHistory | None = None,
    watch: CompactionWatch | None = None,
) -> CompactionReport:
    """Make a snapshot of what is committed now, unless the current one is of this state. Hold the store's lock for it.

    A damaged `CURRENT`, or a damaged older snapshot, stops nothing: what is made here takes its place. A damaged
    manifest or ledger entry does, since the snapshot would lack rows.

    Memory stays near `settings.memory_bytes`, whatever the store holds; disk space for another snapshot is needed.

    Raises:
        StoreError: the store is damaged, of a newer schema version, changed by another job, or the disk is full;
            readers open what they opened before.
    """
    settings, watch = settings or CompactionSettings(), watch or CompactionWatch()
    manifests = list(read_manifests(store))
    state = _state_digest(store, manifests)
    # Race: this job may have lost its lock while it waited or read; what another one has in the making is not to go.
    watch.check()
    sweep_orphans(store)
    sweep_snapshots(store, keep=None)
    manifest = _existing(store, state)
    made = manifest is None
    if manifest is None:
        work = _Compaction(store, settings, watch, manifests, state)
        manifest = work.run(history or RunHistory())
    watch.check()
    if _shown(store) != manifest.snapshot_id:
        make_current(store, manifest.snapshot_id)
    return CompactionReport(manifest, made, sweep_snapshots(store, keep=settings.keep))


def _shown(store: Store) -> str | None:
    with suppress(DamagedFileError):
        return current_id(store)
    return None


def _state_digest(store: Store, manifests: Sequence[Manifest]) -> str:
    input_order = read_input_order(store)
    order = [sorted(input_order.orders.items()), sorted(input_order.retired), input_order.first_year]
    shards = [(one.shard_id, one.created, [file.sha256 for file in one.files]) for one in manifests]
    words = json.dumps([_LAYOUT, SCHEMA_VERSION, order, shards])
    return hashlib.sha256(words.encode()).hexdigest()


def _existing(store: Store, state: str) -> SnapshotManifest | None:
    """A whole snapshot of this state, also one that a killed run did not come to name in `CURRENT`."""
    for snapshot_id in reversed(snapshot_ids(store)):
        with suppress(DamagedFileError):
            manifest = read_snapshot_manifest(store, snapshot_id)
            if manifest.state == state and _is_whole(store.snapshot(snapshot_id), manifest.files):
                return manifest
    return None


def _store_id(store: Store, manifests: Sequence[Manifest]) -> str:
    """The id that earlier snapshots have, which outlives the shards that it was made of; else one of the oldest shard.

    Where all snapshots were removed and the oldest shard is as it was, the store has its id again.
    """
    for snapshot_id in reversed(snapshot_ids(store)):
        with suppress(DamagedFileError):
            if known := read_snapshot_manifest(store, snapshot_id).store_id:
                return known
    if not manifests:
        return ""
    oldest = min(manifests, key=lambda one: (one.created, one.shard_id))
    words = [oldest.shard_id, oldest.created, oldest.seconds, [file.sha256 for file in oldest.files]]
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:16]


def _is_whole(folder: StorePath, files: Iterable[SnapshotFile]) -> bool:
    return all(has_size(folder / file.path, file.bytes) for file in files)


@dataclass(slots=True)
class _Compaction:
    """One snapshot in the making."""

    store: Store
    settings: CompactionSettings
    watch: CompactionWatch
    manifests: Sequence[Manifest]
    state: str
    tally: SnapshotTally = field(default_factory=SnapshotTally)
    started: float = field(default_factory=time.monotonic)
    snapshot_id: str = ""
    folder: Path = Path()

    def run(self, history: RunHistory) -> SnapshotManifest:
        self.snapshot_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S_%fZ}-{self.state[:12]}"
        with building_folder(self.store, self.snapshot_id) as self.folder:
            return self._built(history)

    def _built(self, history: RunHistory) -> SnapshotManifest:
        check_shard_files(self.store, self.manifests)
        files = tuple(self._write_all(history))
        check_snapshot_rows(self.folder, files, tally=self.tally, memory_bytes=self._sort_bytes())
        files += tuple(self._write_summaries(files))
        remove_folder(self._scratch())
        manifest = self._manifest(files)
        write_snapshot_manifest(self.folder, manifest)
        self.watch.check()
        publish_snapshot(self.store, self.folder, manifest=manifest)
        return manifest

    def _write_all(self, history: RunHistory) -> Iterator[SnapshotFile]:
        newest = newest_by_source(self.store)
        sources = sorted({one.source for one in self.manifests})
        self.tally.newest = sum(len(records.record_numbers) for shards in newest.values() for records in shards)
        self.watch.on_planned(3 * sum(map(len, newest.values())) + 2 * len(self.manifests))
        for source in sources:
            for table in SORTED_TABLES:
                yield from self._write_sorted(table, source, self._rows(table, source, newest.get(source, [])))
        yield from write_table_files([run_rows(history)], self._place("runs", ""))
        yield from write_table_files(shard_rows(self.manifests, history), self._place("shards", ""))

    def _write_summaries(self, files: Sequence[SnapshotFile]) -> Iterator[SnapshotFile]:
        paths = {table: [self.folder / one.path for one in files if one.table == table] for table in SORTED_TABLES}
        with bounded_database(self._sort_bytes(), self._scratch()) as database:
            try:
                snapshot_views(database, paths)
                for table in SUMMARY_TABLES:
                    yield from write_table_files(summary_rows(database, table), self._place(table, ""))
            except duckdb.Error as error:
                raise StoreError(
                    f"{self.folder}: the counts cannot be made ({error}). Free some space, or give more memory"
                ) from error

    def _rows(self, table: str, source: str, newest: Sequence[ShardRecords]) -> Iterator[pa.RecordBatch]:
        readers = {"documents": document_batches, "mentions": mention_batches, "lineage": lineage_batches}
        if table in readers:
            for records in newest:
                yield from readers[table](self.store, records)
                self.watch.on_done(1)
            return
        for manifest in (one for one in self.manifests if one.source == source):
            for batch in shard_batches(self.store, manifest, table=table):
                yield conform(batch, row_schema(table))
            self.watch.on_done(1)

    def _write_sorted(self, table: str, source: str, rows: Iterable[pa.RecordBatch]) -> list[SnapshotFile]:
        make_stated_folder(self._scratch())
        space = SortSpace(self._sort_bytes(), self._scratch())
        columns = sort_columns(table)
        schema = row_schema(table)
        counted = self.tally.counting(table, rows)
        return write_table_files(sorted_batches(counted, schema, by=columns, space=space), self._place(table, source))

    def _place(self, table: str, source: str) -> TablePlace:
        schema = described_file_schema(table, fingerprint=self._fingerprint(), snapshot=self.snapshot_id)
        return TablePlace(self.folder, table, source, schema, self.settings.file_bytes)

    def _fingerprint(self) -> str:
        found = sorted({one.fingerprint for one in self.manifests})
        return found[0] if len(found) == 1 else hashlib.sha256("\0".join(found).encode()).hexdigest()

    def _manifest(self, files: tuple[SnapshotFile, ...]) -> SnapshotManifest:
        return SnapshotManifest(
            snapshot_id=self.snapshot_id,
            state=self.state,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - self.started, 3),
            schema_version=SCHEMA_VERSION,
            software_version=bioner_core.__version__,
            fingerprint=self._fingerprint(),
            shards=len(self.manifests),
            documents=self.tally.rows["documents"],
            mentions=self.tally.rows["mentions"],
            mentions_accepted=self.tally.accepted,
            rejects=self.tally.rows["rejects"],
            deletions=self.tally.rows["deletions"],
            files=files,
            fingerprints=dict(Counter(one.fingerprint for one in self.manifests).most_common()),
            store_id=_store_id(self.store, self.manifests),
        )

    def _sort_bytes(self) -> int:
        return int(self.settings.memory_bytes * _SORT_SHARE)

    def _scratch(self) -> Path:
        return self.folder / "sorting"
