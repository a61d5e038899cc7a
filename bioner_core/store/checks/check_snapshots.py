"""Are the snapshots of a store whole: CURRENT names one of them, each file is as it was written, nothing else is there?

Memory is bounded by one batch of rows.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

import pyarrow as pa

from bioner_core.errors import StoreError
from bioner_core.spoken import spoken_count
from bioner_core.store.checks.promised_file import promised_file_faults
from bioner_core.store.layout import Store
from bioner_core.store.objects.object_path import ObjectPath
from bioner_core.store.parquet_files import open_parquet
from bioner_core.store.paths import StorePath, sorted_paths
from bioner_core.store.schemas import SCHEMA_VERSION, file_fact
from bioner_core.store.snapshot.snapshot_manifest import (
    MANIFEST_NAME,
    SnapshotFile,
    SnapshotManifest,
    current_id,
    is_snapshot_id,
    read_snapshot_manifest,
    snapshot_ids,
    unfinished_snapshots,
)
from bioner_core.store.snapshot.snapshot_schemas import file_schema


def pointer_faults(store: Store) -> Iterator[str]:
    """What is wrong with CURRENT and with the folders beside the snapshots, in words; nothing when all is well.

    A store that was never compacted has no CURRENT, which is no fault.
    """
    try:
        shown = current_id(store)
    except StoreError as error:
        yield str(error)
        shown = None
    if shown is not None and shown not in snapshot_ids(store):
        yield f"CURRENT names {shown}, which is not there. Run `bioner compact`: it makes a snapshot and names it"
    for folder in sorted_paths(store.snapshots.glob("[!.]*")):
        if not is_snapshot_id(folder.name):
            yield f"snapshots/{folder.name} is no snapshot, but `bioner` alone writes there. Remove it"
        elif store.is_remote:
            continue  # objects of a compaction at work: `leftovers`
        elif folder.name not in snapshot_ids(store) and folder.exists():
            yield f"snapshots/{folder.name} has no {MANIFEST_NAME}: nobody can open it. Remove it, and compact again"


def leftovers(store: Store) -> list[str]:
    """The hidden folders that a compaction has in hand, or left when it was killed: no reader sees them."""
    if store.is_remote:
        return [path.name for path in unfinished_snapshots(store)]
    return sorted(path.name for path in store.snapshots.glob(".*") if path.is_dir())


def snapshot_faults(store: Store, snapshot_id: str) -> Iterator[str]:
    """What is wrong with a snapshot, in words: its counts, each file, files of nobody; nothing when all is well.

    Each fault names the file and what to do. A snapshot that is removed as an old one meanwhile has no faults.
    """
    folder = store.snapshot(snapshot_id)
    try:
        manifest = read_snapshot_manifest(store, snapshot_id)
    except StoreError as error:
        faults = [str(error)]
    else:
        remedy = f"Remove snapshots/{snapshot_id}, then run `bioner compact`: it is made again from the shards"
        faults = [f"snapshots/{snapshot_id}/{fault}. {remedy}" for fault in _faults(folder, manifest)]
        faults += [
            f"snapshots/{snapshot_id}/{name} is not of the snapshot, but tools that read its folder see it. Remove it"
            for name in _strangers(folder, manifest)
        ]
    if folder.is_dir():
        yield from faults


def _faults(folder: StorePath, manifest: SnapshotManifest) -> Iterator[str]:
    if folder.name != manifest.snapshot_id:
        yield f"{MANIFEST_NAME} is that of {manifest.snapshot_id}"
    yield from _count_faults(manifest)
    damaged = [
        fault
        for file in manifest.files
        for fault in promised_file_faults(folder, file, schema_faults=partial(_schema_faults, file.table, manifest))
    ]
    yield from damaged
    if not damaged:  # rows of a damaged file prove nothing
        accepted = _accepted(folder, manifest.files)
        if accepted != manifest.mentions_accepted:
            yield f"{MANIFEST_NAME} says {manifest.mentions_accepted} accepted mentions, its files hold {accepted}"


def _count_faults(manifest: SnapshotManifest) -> Iterator[str]:
    rows: Counter[str] = Counter()
    for file in manifest.files:
        rows[file.table] += file.rows
    promises = {
        "documents": manifest.documents,
        "lineage": manifest.documents,
        "mentions": manifest.mentions,
        "rejects": manifest.rejects,
        "deletions": manifest.deletions,
        "shards": manifest.shards,
    }
    for table, promised in promises.items():
        if rows[table] != promised:
            yield f"{MANIFEST_NAME} says {spoken_count(promised, 'row')} of {table}, and names files with {rows[table]}"


def _schema_faults(table: str, manifest: SnapshotManifest, schema: pa.Schema) -> Iterator[str]:
    if file_fact(schema, "snapshot") != manifest.snapshot_id:
        yield f"was written for snapshot {file_fact(schema, 'snapshot')}"
    if manifest.schema_version == SCHEMA_VERSION and not schema.equals(file_schema(table)):
        yield f"does not have the declared schema of {table}"


def _accepted(folder: StorePath, files: Sequence[SnapshotFile]) -> int:
    found = 0
    for file in files:
        if file.table == "mentions":
            with open_parquet(folder / file.path, verified=False) as parquet:
                found += sum(batch.column(0).true_count for batch in parquet.iter_batches(columns=["accepted"]))
    return found


def _strangers(folder: StorePath, manifest: SnapshotManifest) -> list[str]:
    named = {file.path for file in manifest.files} | {MANIFEST_NAME}
    if isinstance(folder, ObjectPath):
        found = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    else:
        found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return sorted(found - named)
