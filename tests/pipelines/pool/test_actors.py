"""The actor's class on its own, without a process of Ray's."""

import os
import threading
import time
from typing import Any

import pytest

from bioner_core.inference.annotation import AnnotationRequest
from bioner_core.inference.batching import BatchLimits
from pipelines.pool import pool_kv
from pipelines.pool.actors import ActorStatus, AnnotatorActor
from pipelines.pool.service import AnnotatorSpec


class Table:
    """Stands in for the key-value table of a Ray cluster."""

    def __init__(self) -> None:
        self.notes: dict[bytes, bytes] = {}

    def _internal_kv_put(self, key: bytes, value: bytes, **_: Any) -> None:
        self.notes[key] = value

    def _internal_kv_get(self, key: bytes, **_: Any) -> bytes | None:
        return self.notes.get(key)


@pytest.fixture
def actor(monkeypatch: pytest.MonkeyPatch) -> AnnotatorActor:
    """An actor's object with a table of notes of its own."""
    monkeypatch.setattr(pool_kv, "internal_kv", Table())
    return AnnotatorActor(AnnotatorSpec("fake_annotators:obedient"), name="actor", namespace="space")


def request(text: str) -> tuple[AnnotationRequest, ...]:
    """A batch of one row."""
    return (AnnotationRequest(text, "x"),)


def test_the_batch_is_noted_before_it_runs(actor: AnnotatorActor) -> None:
    """A death whose batch nobody can name, so that a batch that only waited is charged."""
    assert pool_kv.PoolKV("space").last_running("actor") == ""
    actor.annotate("batch-1", request("raise any"), deadline_seconds=1)
    assert pool_kv.PoolKV("space").last_running("actor") == "batch-1"


def test_status_follows_the_work(actor: AnnotatorActor) -> None:
    """A status that stays busy after a failure, or never says that it is overdue."""
    idle = actor.ping()
    assert (idle.pid, idle.batch_id, idle.busy.share) == (os.getpid(), "", None)
    worker = threading.Thread(
        target=actor.annotate, args=("batch-1", request("sleep 0.5")), kwargs={"deadline_seconds": 0.0}
    )
    worker.start()
    while not (status := actor.ping()).batch_id:
        time.sleep(0.01)
    worker.join()
    assert (status.batch_id, status.deadline_seconds) == ("batch-1", 0.0)
    assert status.overdue
    idle = actor.ping()
    assert (idle.pid, idle.batch_id) == (os.getpid(), "")
    assert idle.busy.busy_seconds >= 0.5


def test_an_idle_actor_is_never_overdue() -> None:
    """Idle actors killed for the age of nothing."""
    assert not ActorStatus(1, "", 100.0, 1.0).overdue
    assert not ActorStatus(1, "batch", 1.0, 1.5).overdue


def test_a_lost_device_ends_the_process_with_last_words(actor: AnnotatorActor, monkeypatch: pytest.MonkeyPatch) -> None:
    """An actor that raises instead of ending, so that Ray keeps a broken process."""

    def leave(status: int) -> None:
        raise SystemExit(status)

    monkeypatch.setattr(os, "_exit", leave)
    with pytest.raises(SystemExit, match="1"):
        actor.annotate("batch-1", request("cuda"), deadline_seconds=1)
    assert "RuntimeError: CUDA error" in pool_kv.PoolKV("space").death_message("batch-1")


def test_the_fingerprint_is_the_annotators(actor: AnnotatorActor) -> None:
    """A fingerprint of the pool that is not that of the model."""
    assert actor.ping().fingerprint == "obedient"


def test_the_limits_are_the_annotators(actor: AnnotatorActor) -> None:
    """Limits that an annotator found for its device and that never reach a client."""
    assert actor.ping().limits == BatchLimits()
    spec = AnnotatorSpec("fake_annotators:limited", {"token_budget": 640})
    assert AnnotatorActor(spec, name="actor", namespace="space").ping().limits == BatchLimits(640, 10)
