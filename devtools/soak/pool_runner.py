"""A pool of the soak and its jobs, one after another, in a thread of its own; several run side by side."""

import random
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bioner_core.errors import PoolError
from bioner_core.store.layout import Store
from bioner_core.store.objects import requests
from bioner_core.store.objects.object_path import ObjectPath
from devtools.object_service import BUCKET
from devtools.soak.check import store_faults
from devtools.soak.corpus import SoakInput
from devtools.soak.feeder_process import FeederGoneError, FeederProcess, FeederSettings
from devtools.soak.object_storage import StoreKind
from devtools.soak.record import SoakRecord

_START_SECONDS = 600.0
_JOB_SECONDS = 600.0
_FAILED_STARTS = 3


@dataclass(slots=True)
class Orders:
    """What all pools of a soak are told: to stop when their jobs are over, to stop at once, to take the poison."""

    stop: threading.Event = field(default_factory=threading.Event)
    abandon: threading.Event = field(default_factory=threading.Event)
    _poison: threading.Event | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def go_on(self) -> bool:
        """Whether another job is to be begun."""
        return not self.abandon.is_set() and (not self.stop.is_set() or self._poison is not None)

    def poison_next_job(self) -> threading.Event:
        """Let the next job that begins anywhere have the poison; the event is set then."""
        with self._lock:
            self._poison = threading.Event()
            return self._poison

    def take_poison(self) -> bool:
        """Whether the job that begins now is to have it."""
        with self._lock:
            poison, self._poison = self._poison, None
        if poison is not None:
            poison.set()
        return poison is not None


class PoolRunner:
    """Runs jobs on one pool until it is told to stop. Its feeder may be killed from another thread, and comes again."""

    def __init__(
        self,
        settings: FeederSettings,
        inputs: Sequence[SoakInput],
        *,
        stores: Sequence[StoreKind],
        orders: Orders,
        record: SoakRecord,
        randomness: random.Random,
    ) -> None:
        self._settings = settings
        self._inputs = inputs
        self._stores = stores
        self._orders = orders
        self._record = record
        self._randomness = randomness
        self._feeder: FeederProcess | None = None

    @property
    def feeder(self) -> tuple[int, int] | None:
        """The number and the process id of the feeder that is up, or that is starting."""
        feeder = self._feeder
        return None if feeder is None else (feeder.number, feeder.pid)

    def kill_feeder(self) -> int | None:
        """Kill the feeder; its process id, or None when it is not up yet or was dead already."""
        feeder = self._feeder
        return feeder.pid if feeder is not None and feeder.kill() else None

    def run(self) -> None:
        """Run jobs until the soak is stopped; whatever ends this pool ends the soak."""
        try:
            feeder = self._start_feeder()
            while self._orders.go_on:
                feeder = self._run_job(feeder)
        finally:
            self._orders.stop.set()
            self._end_feeder()

    def _run_job(self, feeder: FeederProcess) -> FeederProcess:
        """Run one job to its end, with further feeders if the first one is killed; returns the last one."""
        number, kind = self._record.next_job(), self._randomness.choice(self._stores)
        chosen, store = self._next_input(), self._store(kind, number)
        feeders, answer, faults = 1, None, []
        while answer is None:
            try:
                feeder.tell(chosen.path, store)
                answer = feeder.answer(_JOB_SECONDS)
            except FeederGoneError as error:
                faults += [] if error.killed else [str(error)]
                feeders += 1
                feeder = self._start_feeder()
        faults += _faults_of(answer) + store_faults(chosen.calm_store, store)
        line = {"job": number, "input": chosen.path.name, "store": kind.value, "feeders": feeders}
        self._record.note_job(line, answer=answer, faults=faults)
        if not faults:
            _remove(store)
        return feeder

    def _next_input(self) -> SoakInput:
        poisoned = self._orders.take_poison()
        return self._randomness.choice([one for one in self._inputs if one.poisoned == poisoned])

    def _store(self, kind: StoreKind, number: int) -> Store:
        if kind is StoreKind.S3:
            return Store(ObjectPath.of(f"s3://{BUCKET}/{number:06d}"))
        return Store(self._record.folder / "stores" / f"{number:06d}")

    def _start_feeder(self) -> FeederProcess:
        """Start a feeder, and another one if it is killed before its pool is up.

        Raises:
            PoolError: feeders that nobody kills do not start, or the soak was ended.
        """
        failed = 0
        while not self._orders.abandon.is_set() and failed < _FAILED_STARTS:
            self._end_feeder()
            self._feeder = feeder = FeederProcess(self._settings, self._record.next_feeder())
            try:
                feeder.answer(_START_SECONDS)
            except FeederGoneError as error:
                if not error.killed:
                    failed += 1
                    self._record.note_lost_feeder(str(error))
                continue
            return feeder
        raise PoolError(f"no feeder is up; the logs of {self._record.feeders} of them are in {self._record.folder}")

    def _end_feeder(self) -> None:
        if self._feeder is not None:
            self._feeder.end()


def _faults_of(answer: dict[str, Any]) -> list[str]:
    faults = [f"failed: {message}" for message in answer["failures"]]
    if not answer["finished"] or answer["exit_code"]:
        faults.append(f"the job says it ended with {answer['exit_code']}, finished: {answer['finished']}")
    return faults


def _remove(store: Store) -> None:
    if isinstance(store.root, Path):
        shutil.rmtree(store.root)
    else:
        keys = [one.key for one in requests.below(store.root.bucket, store.root.key)]
        requests.delete(store.root.bucket, keys)
