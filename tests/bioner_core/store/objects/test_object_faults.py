"""Jobs on object storage that are killed, stopped, or served badly: no row is lost or doubled, nothing is left."""

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from object_writer import Job, calm_store, commit_one, write_all

from bioner_core.store.checks.comparison import store_differences
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store
from bioner_core.store.objects.object_path import ObjectPath
from bioner_core.store.reading import read_manifests
from bioner_core.store.snapshot.snapshot_manifest import current_id
from bioner_core.store.snapshot.snapshot_reading import open_snapshot
from devtools.object_service import BUCKET, Asked, Fault, ObjectService

_REQUESTS = 130
"""About as many as a whole job makes."""


def assert_undisturbed(calm: Store, store: Store) -> None:
    """The same rows, a sound store, and no object that nobody names."""
    assert list(store_differences(calm, store)) == []
    report = verify_store(store)
    assert report.sound, report.faults
    assert report.leftovers == ()
    named = {file.path for one in read_manifests(store) for file in one.files}
    tables = [path for table in ("documents", "mentions", "rejects", "deletions") for path in _below(store, table)]
    assert {store.name_of(path) for path in tables} == named
    assert [path.name for path in _below(store, "locks")] == ["store.json"]
    assert sorted(_state(store)) == sorted(_state(calm))


def _below(store: Store, folder: str) -> list[Any]:
    return list(store.file(folder).rglob("*"))


def _state(store: Store) -> list[str]:
    snapshot = open_snapshot(store)
    assert snapshot is not None
    return [repr(one) for one in (*snapshot.documents(), *snapshot.mentions())]


def _uploads(object_service: ObjectService) -> object:
    import boto3

    return boto3.client("s3").list_multipart_uploads(Bucket=BUCKET).get("Uploads")


def _kills(object_service: ObjectService, calm: Store, *, kills: int, seed: int) -> int:
    """Kill jobs at random requests until so many are dead; each store is worked on until a job gets through."""
    chance = random.Random(seed)
    killed = stories = 0
    while killed < kills:
        store = Store(ObjectPath.of(f"s3://{BUCKET}/store-{seed}-{stories}"))
        stories += 1
        while True:
            job = Job(object_service.url, str(store), write_all)
            at, done = len(object_service.requests) + chance.randint(1, _REQUESTS), chance.random() < 0.5
            fault = Fault(done=done, kill=lambda job=job: job.pid)
            object_service.fault = lambda request, at=at, fault=fault: fault if request.number == at else None
            job.begin()
            words = job.end()
            object_service.fault = lambda _: None
            if words != "killed":
                assert words == ""
                break
            killed += 1
            assert current_id(store) is None or open_snapshot(store) is not None
        assert_undisturbed(calm, store)
    assert _uploads(object_service) is None
    return stories


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 12))
def test_a_hundred_kills_lose_and_double_nothing(object_service: ObjectService, tmp_path: Path, seed: int) -> None:
    """Catches a state between two requests in which a row is lost, doubled, or half a snapshot is shown.

    Ten times ten random requests.
    """
    assert _kills(object_service, calm_store(tmp_path / "calm"), kills=10, seed=seed)


def _bad_service(chance: random.Random, share: float) -> Any:
    faults = [
        Fault(status="500 Internal Server Error"),
        Fault(status="503 Slow Down"),
        Fault(done=True, status="500 Internal Server Error"),
        Fault(),
        Fault(done=True),
        Fault(seconds=0.2),
    ]

    def fault(request: Asked) -> Fault | None:
        if chance.random() >= share:
            return None
        if request.method == "PUT" and chance.random() < 0.2:
            return Fault(status="412 Precondition Failed")
        return chance.choice(faults)

    return fault


@pytest.mark.parametrize("seed", [3, pytest.param(4, marks=pytest.mark.slow), pytest.param(5, marks=pytest.mark.slow)])
def test_a_bad_service_changes_no_row(
    object_service: ObjectService, tmp_path: Path, object_store: Store, seed: int
) -> None:
    """Catches a request that is not asked again, or is done twice in effect, when its answer is an error or is lost."""
    object_service.fault = _bad_service(random.Random(seed), 0.1)
    write_all(object_store)
    object_service.fault = lambda _: None
    assert_undisturbed(calm_store(tmp_path / "calm"), object_store)
    assert _uploads(object_service) is None


def _manifests(store: Store) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in store.manifests.iterdir() if isinstance(path, ObjectPath)}


def _stopped_at(object_service: ObjectService, store: Store, at: int, *, done: bool) -> bool:
    """Stop a job at a request of its commit, take its lock over, commit, and wake it; False if it ended before."""
    before = len(object_service.requests)
    job = Job(object_service.url, str(store), commit_one, host="elsewhere")
    stopped: list[int] = []

    def stop() -> int:
        stopped.append(job.pid)
        return job.pid

    fault = Fault(done=done, kill=stop, signal=signal.SIGSTOP)
    object_service.fault = lambda request: fault if request.number == before + at else None
    job.begin()
    while not stopped and not job.ended:
        time.sleep(0.02)
    object_service.fault = lambda _: None
    if not stopped:
        assert job.end() == ""
        return False
    # The taker goes by a lease of one second: in 1.2 the service's clock, which has whole seconds, goes on by one. The
    # job goes by the usual one: it may never take the lock back because the taker, too, was silent for a second.
    time.sleep(1.2)
    with StoreLock(store, purpose="taker", lease_seconds=1.0) as lock:
        found = _manifests(store)
        os.kill(stopped[0], signal.SIGCONT)
        words = job.end()
        assert words == "" or "lost its lock" in words or "another job is at work" in words, words
        assert _manifests(store) == found, "it committed after its lock was lost"
        lock.check()
    return True


@pytest.mark.parametrize("done", [False, True])
def test_a_woken_job_commits_nothing(object_service: ObjectService, done: bool) -> None:
    """Catches a feeder that was paused for longer than its lease and then writes over what another one committed.

    It is stopped at the put of its manifest and at the copy that commits it, before the service sees it or after.
    """
    requests = _commit_requests(object_service)
    for number in (requests["stage"], requests["commit"]):
        store = Store(ObjectPath.of(f"s3://{BUCKET}/woken-{done}-{number}"))
        assert _stopped_at(object_service, store, number, done=done)
        assert verify_store(store).sound


@pytest.mark.slow
@pytest.mark.parametrize("done", [False, True])
def test_a_job_woken_anywhere_commits_nothing(object_service: ObjectService, done: bool) -> None:
    """As above, at every request of a job."""
    for number in range(1, 100):
        store = Store(ObjectPath.of(f"s3://{BUCKET}/anywhere-{done}-{number}"))
        if not _stopped_at(object_service, store, number, done=done):
            assert number > 5
            return
        assert verify_store(store).sound


def _commit_requests(object_service: ObjectService) -> dict[str, int]:
    """At which requests a job that commits one shard stages its manifest, and commits it."""
    before = len(object_service.requests)
    job = Job(object_service.url, f"s3://{BUCKET}/measured", commit_one, host="elsewhere")
    job.begin()
    assert job.end() == ""
    found = object_service.asked(since=before)
    stage = next(one.number for one in found if "/commits/" in one.key and one.method == "PUT")
    commit = next(one.number for one in found if one.is_copy)
    return {"stage": stage - before, "commit": commit - before}
