"""Compaction: what is shown, when, what is removed, and which stores are refused or upgraded."""

import errno
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from little_stores import Event, commit_input
from store_samples import commit_sample, descriptor

from bioner_core.errors import StoreError
from bioner_core.file_digest import sha256_of_file
from bioner_core.store.checks.check_snapshots import snapshot_faults
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.compaction import snapshot_place
from bioner_core.store.compaction.compact import CompactionReport, CompactionSettings, CompactionWatch, compact_store
from bioner_core.store.compaction.snapshot_check import SnapshotTally, check_snapshot_rows
from bioner_core.store.compaction.snapshot_writer import _GROUP_ROWS
from bioner_core.store.layout import Store
from bioner_core.store.manifest import read_manifest, write_manifest
from bioner_core.store.reading import read_manifests
from bioner_core.store.schemas import SCHEMA_VERSION, file_fact
from bioner_core.store.snapshot.snapshot_manifest import current_id, snapshot_ids
from bioner_core.store.snapshot.snapshot_reading import Snapshot, open_snapshot
from bioner_core.store.snapshot.snapshot_schemas import FLAT_TABLES, SORTED_TABLES, file_schema

MEMORY = 256 * 1024**2


def compacted(store: Path, *, keep: int = 2, file_bytes: int = 2**28) -> CompactionReport:
    """Compact with little memory."""
    return compact_store(Store(store), CompactionSettings(keep=keep, memory_bytes=MEMORY, file_bytes=file_bytes))


def opened(store: Path) -> Snapshot:
    """The current snapshot."""
    found = open_snapshot(Store(store))
    assert found is not None
    return found


def test_an_empty_store_has_an_empty_snapshot(tmp_path: Path) -> None:
    """Catches a first compaction that fails because there is nothing yet."""
    report = compacted(tmp_path)
    assert (report.made, report.manifest.documents, report.manifest.files) == (True, 0, ())
    assert list(opened(tmp_path).documents()) == list(opened(tmp_path).mentions()) == []


def test_a_document_that_was_withdrawn_may_come_again(tmp_path: Path) -> None:
    """Catches a deletion that outlives the document's return, or a return without its new mentions."""
    commit_input(tmp_path, 1, [Event(1), Event(2)])
    commit_input(tmp_path, 2, [Event(1, deleted=True)])
    compacted(tmp_path)
    assert [one.doc_id for one in opened(tmp_path).documents()] == ["pubmed:2"]
    assert opened(tmp_path).document("pubmed:1") is None
    commit_input(tmp_path, 3, [Event(1, words=5)])
    report = compacted(tmp_path)
    assert (report.made, report.manifest.documents, report.manifest.deletions) == (True, 2, 1)
    assert len(opened(tmp_path).mentions_of("pubmed:1")) == 6


def test_equal_stores_are_not_compacted_again(tmp_path: Path) -> None:
    """Catches a rerun that writes the whole store once more, and one that misses new shards."""
    commit_input(tmp_path, 1, [Event(1)])
    first = compacted(tmp_path)
    assert compacted(tmp_path) == CompactionReport(first.manifest, made=False, removed=())
    commit_input(tmp_path, 2, [Event(2)])
    assert compacted(tmp_path).made


def test_a_snapshot_that_lost_a_file_is_made_again(tmp_path: Path) -> None:
    """Catches a damaged snapshot that passes for up to date for ever."""
    commit_input(tmp_path, 1, [Event(1)])
    compacted(tmp_path)
    opened(tmp_path).paths("mentions")[0].unlink()
    with pytest.raises(StoreError, match="part-00000"):
        list(opened(tmp_path).mentions())
    assert compacted(tmp_path).made
    assert len(list(opened(tmp_path).mentions())) == 3


def test_old_snapshots_go_and_the_current_one_stays(tmp_path: Path) -> None:
    """Catches snapshots that pile up, or a policy that removes what readers open."""
    for number in range(1, 5):
        commit_input(tmp_path, number, [Event(number)])
        report = compacted(tmp_path, keep=4)
    kept = snapshot_ids(Store(tmp_path))
    assert len(kept) == 4
    commit_input(tmp_path, 5, [Event(5)])
    report = compacted(tmp_path, keep=1)
    assert set(report.removed) == set(kept)
    assert snapshot_ids(Store(tmp_path)) == [current_id(Store(tmp_path))] == [report.manifest.snapshot_id]
    assert list(Store(tmp_path).snapshots.glob(".*")) == []


def test_half_snapshots_are_removed_and_a_whole_one_is_only_named(tmp_path: Path) -> None:
    """Catches what a kill leaves: half a snapshot that stays for ever, or a whole one that is made a second time."""
    commit_input(tmp_path, 1, [Event(1)])
    made = compacted(tmp_path).manifest.snapshot_id
    half = Store(tmp_path).snapshots / f".{made}.building"
    (half / "documents").mkdir(parents=True)
    (tmp_path / "CURRENT").unlink()
    report = compacted(tmp_path)
    assert not report.made
    assert current_id(Store(tmp_path)) == made
    assert not half.exists()


def lost_after(checks: int) -> CompactionWatch:
    """The watch of a job whose lock is its own for so many looks, and then another one's."""
    left = iter(range(checks))

    def check() -> None:
        if next(left, None) is None:
            raise StoreError("lost")

    return CompactionWatch(check=check)


@pytest.mark.parametrize(("checks", "made_again"), [(0, True), (1, True), (2, False)])
def test_nothing_is_shown_when_the_lock_was_lost(tmp_path: Path, checks: int, made_again: bool) -> None:
    """Catches a compaction that shows its work although another job has taken the store over."""
    commit_input(tmp_path, 1, [Event(1)])
    with pytest.raises(StoreError, match="lost"):
        compact_store(Store(tmp_path), CompactionSettings(memory_bytes=MEMORY), watch=lost_after(checks))
    assert open_snapshot(Store(tmp_path)) is None
    assert compacted(tmp_path).made == made_again


def test_a_compaction_that_fails_leaves_no_half_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches half a snapshot on a disk that it has filled: no job could take its lock, and so none could sweep it."""
    commit_input(tmp_path, 1, [Event(1)])

    def full(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr("bioner_core.store.compaction.compact.check_snapshot_rows", full)
    with pytest.raises(StoreError, match="full"):
        compacted(tmp_path)
    assert list(Store(tmp_path).snapshots.iterdir()) == []


def test_a_job_without_its_lock_removes_nothing(tmp_path: Path) -> None:
    """Catches a job that wakes after its lease and removes the snapshot that its successor is making, or old ones."""
    commit_input(tmp_path, 1, [Event(1)])
    compacted(tmp_path, keep=1)
    commit_input(tmp_path, 2, [Event(2)])
    compacted(tmp_path, keep=2)
    another = Store(tmp_path).snapshots / ".another.building"
    another.mkdir()
    for checks in (0, 1):
        with pytest.raises(StoreError, match="lost"):
            compact_store(Store(tmp_path), CompactionSettings(keep=1, memory_bytes=MEMORY), watch=lost_after(checks))
        assert another.exists() == (checks == 0)
    assert len(snapshot_ids(Store(tmp_path))) == 2


def test_files_are_cut_between_documents_and_sorted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a document whose mentions spread over two files, so that nobody can read it from one."""
    monkeypatch.setitem(_GROUP_ROWS, "mentions", 5)
    commit_input(tmp_path, 1, [Event(number, words=6) for number in range(10)], shard_records=4)
    report = compacted(tmp_path, file_bytes=1)
    files = [file for file in report.manifest.files if file.table == "mentions"]
    assert len(files) > 3
    assert sum(file.rows for file in files) == report.manifest.mentions == 70
    assert all(before.last_doc_id < after.first_doc_id for before, after in pairwise(files))
    assert len(opened(tmp_path).mentions_of("pubmed:3")) == 7
    assert [one.doc_id for one in opened(tmp_path).mentions()] == sorted(
        f"pubmed:{n}" for n in range(10) for _ in range(7)
    )


def test_files_say_what_they_are(tmp_path: Path) -> None:
    """Catches files without the declared schema, version, fingerprint, statistics, page index or zstd."""
    commit_sample(tmp_path)
    report = compacted(tmp_path)
    tables = {file.table for file in report.manifest.files}
    # The sample's mentions lie in each other, which is no pair.
    assert tables == {*SORTED_TABLES, *FLAT_TABLES} - {"runs", "entity_pairs"}
    for file in report.manifest.files:
        path = Store(tmp_path).snapshot(report.manifest.snapshot_id) / file.path
        with pq.ParquetFile(path) as parquet:
            assert parquet.schema_arrow.equals(file_schema(file.table))
            facts = {
                key: file_fact(parquet.schema_arrow, key)
                for key in ("table", "schema_version", "fingerprint", "snapshot")
            }
            group = parquet.metadata.row_group(0)
            columns = [group.column(number) for number in range(group.num_columns)]
        assert facts == {
            "table": file.table,
            "schema_version": str(SCHEMA_VERSION),
            "fingerprint": "f1",
            "snapshot": report.manifest.snapshot_id,
        }
        assert {column.compression for column in columns} == {"ZSTD"}
        without = {column.path_in_schema for column in columns if not (column.is_stats_set and column.has_column_index)}
        assert without == ({"passages.list.element.text"} if file.table == "documents" else set())
    assert list(snapshot_faults(Store(tmp_path), report.manifest.snapshot_id)) == []


def test_a_changed_file_is_found(tmp_path: Path) -> None:
    """Catches digests that nobody compares."""
    commit_sample(tmp_path)
    compacted(tmp_path)
    path = opened(tmp_path).paths("mentions")[0]
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    opened(tmp_path).paths("documents")[0].unlink()
    faults = list(snapshot_faults(Store(tmp_path), opened(tmp_path).manifest.snapshot_id))
    assert len(faults) == 2
    assert "cannot be read" in faults[0]
    assert "has changed" in faults[1]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (SnapshotTally(2, 2, 0), "sums"),
        (SnapshotTally(3, 2, 50), "newest"),
    ],
)
def test_rows_that_are_not_what_went_in_are_refused(tmp_path: Path, broken: SnapshotTally, words: str) -> None:
    """Catches a check that passes whatever was written."""
    commit_sample(tmp_path)
    report = compacted(tmp_path)
    broken.rows.update(documents=2, lineage=2, mentions=3)
    folder = Store(tmp_path).snapshot(report.manifest.snapshot_id)
    with pytest.raises(StoreError, match=words):
        check_snapshot_rows(folder, report.manifest.files, tally=broken, memory_bytes=MEMORY)


def test_an_older_store_is_upgraded(tmp_path: Path) -> None:
    """Catches a store of schema version 1, without removed codes, that cannot be read, is
    called damaged, or spoils the declared schema."""
    _as_version_1(tmp_path)
    assert verify_store(Store(tmp_path)).sound
    report = compacted(tmp_path)
    [path] = opened(tmp_path).paths("documents")
    assert pq.read_schema(path).equals(file_schema("documents"))
    assert [one.meta.removed_codes for one in opened(tmp_path).documents()] == [(), ()]
    assert report.manifest.schema_version == SCHEMA_VERSION


def test_newer_stores_and_snapshots_are_refused(tmp_path: Path) -> None:
    """Catches rows of a meaning that this version does not know, shown as if it did."""
    manifest = commit_sample(tmp_path)
    compacted(tmp_path)
    path = Store(tmp_path).snapshot(str(current_id(Store(tmp_path)))) / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": SCHEMA_VERSION + 1}))
    with pytest.raises(StoreError, match="newer than"):
        open_snapshot(Store(tmp_path))
    path.unlink()
    write_manifest(Store(tmp_path), replace(manifest, schema_version=SCHEMA_VERSION + 1))
    with pytest.raises(StoreError, match="newer than"):
        compacted(tmp_path)


@pytest.mark.parametrize("text", ["", "../../etc", "20260101T000000Z"])
def test_a_damaged_pointer_is_named(tmp_path: Path, text: str) -> None:
    """Catches a pointer that leads out of the store."""
    (tmp_path / "CURRENT").write_text(text)
    with pytest.raises(StoreError, match="CURRENT"):
        open_snapshot(Store(tmp_path))


def _as_version_1(store: Path) -> None:
    """Commit a sample shard, and take from its documents what version 1 did not have."""
    manifest = commit_sample(store)
    [file] = [one for one in manifest.files if one.table == "documents"]
    table = pq.read_table(store / file.path, partitioning=None)
    meta = table.column("meta").combine_chunks()
    kept = [field for field in meta.type if field.name != "removed_codes"]
    older = pa.StructArray.from_arrays([meta.field(field.name) for field in kept], fields=kept)
    place = table.schema.get_field_index("meta")
    table = table.set_column(place, pa.field("meta", older.type, nullable=False), older)
    facts = dict(table.schema.metadata) | {b"bioner.schema_version": b"1"}
    pq.write_table(table.replace_schema_metadata(facts), store / file.path)
    paths = {one.path: store / one.path for one in manifest.files}
    files = tuple(
        replace(one, bytes=paths[one.path].stat().st_size, sha256=sha256_of_file(paths[one.path]))
        for one in manifest.files
    )
    write_manifest(Store(store), replace(manifest, schema_version=1, files=files))
    assert read_manifest(Store(store), manifest.shard_id) == next(read_manifests(Store(store)))


@pytest.mark.parametrize("step", ["rename", "fsync"])
def test_a_disk_that_refuses_the_last_step_is_told_as_every_fault_of_a_store(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches an `OSError` of the step that shows a snapshot: a nightly job catches errors of stores alone, and lost
    its report. Readers open what they opened before."""
    commit_sample(tmp_path)
    before = compact_store(Store(tmp_path)).manifest.snapshot_id
    commit_sample(tmp_path, of=descriptor(4, 8))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        if step == "rename":
            patch.setattr(snapshot_place.os, "rename", full)
        else:
            patch.setattr(snapshot_place, "fsync_path", full)
        with pytest.raises(StoreError, match="the disk is full"):
            compact_store(Store(tmp_path))
    assert current_id(Store(tmp_path)) == before
    assert compact_store(Store(tmp_path)).manifest.shards == 2
    assert verify_store(Store(tmp_path)).sound


def test_a_store_has_one_id_whatever_becomes_of_its_shards(tmp_path: Path) -> None:
    """Catches a store that is another one, for whoever it was published to, when its first shard is replaced."""
    commit_input(tmp_path, 1, [Event(1)])
    first = compacted(tmp_path).manifest
    commit_input(tmp_path, 2, [Event(2)])
    oldest = min(read_manifests(Store(tmp_path)), key=lambda one: (one.created, one.shard_id))
    write_manifest(Store(tmp_path), replace(oldest, created="2999-01-01T00:00:00+00:00"))
    second = compacted(tmp_path).manifest
    assert second.snapshot_id != first.snapshot_id
    assert first.store_id == second.store_id != ""
    commit_input(tmp_path / "other", 1, [Event(1), Event(2)])
    assert compacted(tmp_path / "other").manifest.store_id != first.store_id
