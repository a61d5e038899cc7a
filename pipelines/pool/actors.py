"""The actor: one process that holds one annotator and answers batches."""

import os
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import ray

from bioner_core.inference.annotation import AnnotationRequest, RowResult
from bioner_core.inference.batching import BatchLimits, limits_of
from bioner_core.inference.row_isolation import DeviceLostError, annotate_with_bisection
from bioner_core.process_memory import peak_memory
from pipelines.metrics.meters import Meters
from pipelines.metrics.metrics import ACTOR_BUSY_SECONDS, Origin
from pipelines.pool.load import BusyClock, BusyTime
from pipelines.pool.pool_kv import PoolKV
from pipelines.pool.service import AnnotatorSpec

HEALTH_GROUP = "health"
"""Concurrency group of `AnnotatorActor.ping`: one thread of its own, so that it answers while a batch runs."""


@dataclass(frozen=True, slots=True)
class ActorStatus:
    """What an actor says of itself: its process, the batch that it runs (empty when idle), and its Ray node's id.

    `busy` is the time that its annotator worked; `peak_memory` the most bytes that its process ever had in memory;
    `restarts` how many processes of its name were ready for work before this one; `fingerprint` its annotator's, and
    `limits` what a batch may cost here, as the annotator found it for its device when the actor started; `worker_id` is
    Ray's for this process.
    """

    pid: int
    batch_id: str = ""
    running_seconds: float = 0.0
    deadline_seconds: float = 0.0
    node_id: str = ""
    busy: BusyTime = field(default_factory=BusyTime)
    peak_memory: int = 0
    restarts: int = 0
    fingerprint: str = ""
    limits: BatchLimits = field(default_factory=BatchLimits)
    worker_id: str = ""

    @property
    def overdue(self) -> bool:
        """Whether the batch has run for longer than it may."""
        return bool(self.batch_id) and self.running_seconds > self.deadline_seconds


@dataclass(frozen=True, slots=True)
class BatchRefused:
    """The answer of an actor that is to go: the batch was not begun, and is charged with nothing."""


class AnnotatorActor:
    """Holds one annotator. A plain class, made an actor by the pool, so that tests can call it without Ray's.

    It is built from a spec in its own process: nobody else imports the model's libraries.
    """

    def __init__(self, spec: AnnotatorSpec, *, name: str, namespace: str) -> None:
        self._name = name
        self._kv = PoolKV(namespace)
        self._running: tuple[str, float, float] | None = None
        self._retiring = False
        self._begin_lock = threading.Lock()
        self._clock = BusyClock()
        self._meters = Meters((Origin.ACTOR,))
        self._told_busy = 0.0
        self._node_id = str(ray.get_runtime_context().get_node_id()) if ray.is_initialized() else ""
        self._worker_id = str(ray.get_runtime_context().get_worker_id()) if ray.is_initialized() else ""
        self._annotator = spec.build()
        self._fingerprint = self._annotator.fingerprint
        self._limits = limits_of(self._annotator)
        self._restarts = self._kv.count_start(name)

    def annotate(
        self, batch_id: str, requests: Sequence[AnnotationRequest], *, deadline_seconds: float
    ) -> list[RowResult] | BatchRefused:
        """Answer each row, index-aligned; a row that fails is a `RowError` and touches no other row.

        `deadline_seconds` is not enforced here: `ping` reports it, and whoever waits ends an overdue process.
        A GPU error that no later batch can survive ends this process, so that Ray starts a fresh one.
        """
        # Race: `retire` runs in another thread. Under one lock either the batch is seen as running by the ping that
        # follows, or it is refused; without it an actor could be ended as idle with a batch that it has just begun.
        with self._begin_lock:
            if self._retiring:
                return BatchRefused()
            self._running = (batch_id, time.monotonic(), deadline_seconds)
        try:
            # Invariant: the note is in the cluster's table before the first row runs, so that a death at any later
            # moment is charged to this batch, and one before it to none.
            self._kv.note_running(self._name, batch_id)
            with self._clock.working():
                return annotate_with_bisection(self._annotator, requests)
        except DeviceLostError as error:
            self._die(batch_id, error)
        finally:
            self._running = None
            self._tell_busy()

    def ping(self) -> ActorStatus:
        """Where this actor stands; answered at once, also while a batch runs. Call it in `HEALTH_GROUP`."""
        now = time.monotonic()
        batch_id, started, deadline_seconds = self._running or ("", now, 0.0)
        return ActorStatus(
            pid=os.getpid(),
            batch_id=batch_id,
            running_seconds=now - started,
            deadline_seconds=deadline_seconds,
            node_id=self._node_id,
            busy=self._clock.read(),
            peak_memory=peak_memory(),
            restarts=self._restarts,
            fingerprint=self._fingerprint,
            limits=self._limits,
            worker_id=self._worker_id,
        )

    def retire(self) -> ActorStatus:
        """Begin no batch from now on, and say where this actor stands: once idle it stays so. In `HEALTH_GROUP`."""
        with self._begin_lock:
            self._retiring = True
            return self.ping()

    def _tell_busy(self) -> None:
        busy = self._clock.read().busy_seconds
        self._meters.add(ACTOR_BUSY_SECONDS, busy - self._told_busy, self._name)
        self._told_busy = busy

    def _die(self, batch_id: str, error: DeviceLostError) -> NoReturn:
        self._kv.note_death_message(batch_id, "".join(traceback.format_exception(error)))
        os._exit(1)  # exit_actor() would tell Ray not to restart it
