"""A store that is looked at while a job works on it."""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from annotate_fakes import POISON, make_job, run, write_jsonl

from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store
from bioner_core.store.reading import read_manifests
from pipelines.pool.actors import ActorStatus
from pipelines.pool.load import BusyTime
from pipelines.watch.live_note import LiveActor, LiveNote, live_note, read_live_note
from pipelines.watch.status import store_status
from pipelines.watch.store_watch import RATE_SECONDS, StoreWatch


def test_each_look_says_what_status_says(tmp_path: Path) -> None:
    """Catches a view that counts a shard twice, forgets one, or keeps one that is gone."""
    texts = [*["Good text."] * 24, f"{POISON} here. Good."]
    job = make_job(tmp_path / "s", write_jsonl(tmp_path / "in.jsonl", texts))
    watch = StoreWatch(job.store)
    assert (watch.look().shards_committed, watch.look().jobs) == (0, ())
    run(job)
    for _ in range(2):
        view, status = watch.look(), store_status(job.store)
        assert (view.counts, view.reject_reasons) == (status.counts, status.reject_reasons)
        assert (view.shards_committed, view.shards_pending, view.records_pending) == (3, 0, 0)
    last = max(read_manifests(job.store), key=lambda manifest: manifest.first)
    job.store.manifest(last.shard_id).unlink()
    view = watch.look()
    assert (view.shards_committed, view.shards_pending, view.records_pending) == (2, 1, 5)


def test_speed_and_time_left_are_those_of_the_last_minutes_of_the_job(tmp_path: Path) -> None:
    """Catches a speed since ever, one that an earlier run's shards inflate, and a promise while nothing runs."""
    job = make_job(tmp_path / "s", write_jsonl(tmp_path / "in.jsonl", ["Good text."] * 25))
    watch = StoreWatch(job.store)
    with StoreLock(job.store, purpose="bioner annotate"):
        began = datetime.now(UTC)
        run(job)
        last = max(read_manifests(job.store), key=lambda manifest: manifest.first)
        job.store.manifest(last.shard_id).unlink()
        soon = watch.look(began + timedelta(seconds=100))
        assert 20 / 102 < soon.documents_per_second <= 0.21
        assert soon.records_per_second == soon.documents_per_second
        assert 23 < (soon.seconds_left or 0) < 27, "5 records are left"
        assert "bioner annotate" in soon.jobs[0]
        later = watch.look(began + timedelta(seconds=RATE_SECONDS + 60))
        assert (later.documents_per_second, later.seconds_left) == (0.0, None)
    idle = watch.look(began + timedelta(seconds=100))
    assert (idle.documents_per_second, idle.seconds_left) == (0.0, None)
    with StoreLock(job.store, purpose="bioner annotate"):
        another = watch.look(datetime.now(UTC) + timedelta(seconds=1))
    assert another.documents_per_second <= 20, "what the run before did counts for a moment at most"


class OneActor:
    """A pool of an actor that works, one that does not answer, and one that never came up."""

    def health(self, timeout_seconds: float = 1.0) -> dict[str, ActorStatus | None]:
        """Their statuses."""
        return {"a": ActorStatus(1, "batch", 2.0, busy=BusyTime(3.0, 4.0)), "b": None}

    def absent(self) -> dict[str, str]:
        """A third one was given up."""
        return {"c": "given up"}

    def memory_kills(self) -> int:
        """Ray has ended two processes."""
        return 2


def test_a_running_job_says_how_its_actors_are_until_it_ends(tmp_path: Path) -> None:
    """Catches a view without actors, or one that shows those of a job that has ended or died."""
    with live_note(Store(tmp_path), OneActor()):
        deadline = time.monotonic() + 30
        while not (found := read_live_note(Store(tmp_path)).actors):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert found == (LiveActor("a", "busy", 2.0, 3.0, 0.75), LiveActor("b", "silent"), LiveActor("c", "given up"))
        seen = StoreWatch(Store(tmp_path)).look(datetime.now(UTC))
        assert (seen.actors, seen.memory_kills) == (found, 2)
        (note,) = (tmp_path / "jobs").glob(".live-*.json")
        kept = note.read_bytes()
    assert read_live_note(Store(tmp_path)) == LiveNote()
    note.write_bytes(kept)
    os.utime(note, (1, 1))
    assert read_live_note(Store(tmp_path)) == LiveNote(), "a note of a job that died an hour ago"
    dead = note.rename(note.with_name(".live-elsewhere-7.json"))
    with live_note(Store(tmp_path), OneActor()):
        assert not dead.exists()
    note.write_text('{"actors": [{"nam')
    assert read_live_note(Store(tmp_path)) == LiveNote()
