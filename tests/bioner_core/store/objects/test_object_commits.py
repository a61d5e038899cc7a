"""Commits on object storage, request by request: what is promised of a folder holds here too."""

from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
from store_samples import commit_sample, descriptor, document, writer

from bioner_core.errors import StoreError
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.compaction.compact import CompactionSettings, compact_store
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Counts, Manifest
from bioner_core.store.reading import read_manifests
from bioner_core.store.sweep import sweep_orphans
from devtools.object_service import Fault, ObjectService


def commit_two(store: Store, text: str) -> Manifest:
    """Commit two documents, of which one has this text."""
    filled = writer(store.root, of=descriptor(0, 2))
    filled.add_documents([document(0, text=text), document(1)])
    return filled.commit(Counts(records_in=2, annotated=2), seconds=1)


def tables(store: Store) -> set[str]:
    """The names of all files of tables."""
    return {store.name_of(path) for table in ("documents", "mentions") for path in store.file(table).rglob("*")}


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("locked", [False, True])
def test_a_crash_at_any_request_leaves_the_old_state_or_the_new(
    object_service: ObjectService, object_store: Store, locked: bool
) -> None:
    """Catches files that go, or change, before the manifest that no longer needs them is there."""
    commit_sample(object_store.root, fingerprint="f0")
    with StoreLock(object_store, purpose="test") if locked else nullcontext():
        for number in range(1, 30):
            before = len(object_service.requests)
            object_service.fault = lambda asked, at=before + number: Fault() if asked.number >= at else None
            with suppress(StoreError):
                commit_sample(object_store.root, fingerprint=f"f{number}")
            done = len(object_service.requests) < before + number
            object_service.fault = lambda _: None
            [manifest] = read_manifests(object_store)
            assert manifest.fingerprint in ("f0", f"f{number}", *(f"f{one}" for one in range(number)))
            report = verify_store(object_store)
            assert report.sound, report.faults
            if done:
                break
        else:
            raise AssertionError("a commit never ends")
        assert manifest.fingerprint == f"f{number}"
        assert number > 5


def test_counts_that_do_not_add_up_put_no_object(object_service: ObjectService, object_store: Store) -> None:
    """Catches a request that is made before the counts are looked at."""
    filled = writer(object_store.root)
    filled.add_documents([document(0)])
    with pytest.raises(StoreError, match="lost or doubled"):
        filled.commit(Counts(records_in=2, annotated=1), seconds=1)
    assert object_service.requests[1:] == []


def test_other_rows_of_the_same_work_have_another_name(object_store: Store) -> None:
    """Catches a late put of a job that has lost its lock which changes a file that is committed."""
    first, second = commit_two(object_store, "one text"), commit_two(object_store, "another text")
    assert first.files[0].path != second.files[0].path
    assert tables(object_store) == {second.files[0].path}
    assert commit_two(object_store, "another text").files == second.files


def test_what_a_dead_job_left_is_swept(object_store: Store) -> None:
    """Catches files that nobody names and that are paid for ever, and a sweep that takes files that are named."""
    manifest = commit_two(object_store, "one text")
    (object_store.file("documents") / "pubmed" / "shard" / "left.parquet").put(b"left")  # type: ignore[union-attr]
    assert sweep_orphans(object_store) == 1
    assert tables(object_store) == {manifest.files[0].path}


def test_a_compaction_sweeps_what_a_dead_one_left(object_store: Store, tmp_path: Path) -> None:
    """Catches half a snapshot that stays, or that somebody opens."""
    commit_two(object_store, "one text")
    left = object_store.snapshots / "20260101T000000_000000Z-0123456789ab"
    (left / "documents" / "part.parquet").put(b"half")  # type: ignore[union-attr]
    assert verify_store(object_store).leftovers == (left.name,)
    with StoreLock(object_store, purpose="test"):
        made = compact_store(object_store, CompactionSettings(memory_bytes=2**28))
    assert made.made
    assert [path.name for path in object_store.snapshots.iterdir()] == [made.manifest.snapshot_id]
    assert verify_store(object_store).sound
