"""The faults of the soak: which come when, and how each is done."""

import os
import random
import signal
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from bioner_core.errors import ConfigurationError
from devtools.soak.annotator import Order, give_order, signed_in
from devtools.soak.cluster import LocalCluster
from devtools.soak.object_storage import StorageFaults
from devtools.soak.processes import is_running, ray_feeders

_POLL_SECONDS = 0.05


class FaultKind(StrEnum):
    """What may go wrong."""

    KILL_ACTOR = "kill_actor"
    HANG_ACTOR = "hang_actor"
    OUT_OF_MEMORY = "out_of_memory"
    KILL_FEEDER = "kill_feeder"
    KILL_NODE = "kill_node"
    POISON_ROW = "poison_row"
    KILL_RAY_FEEDER = "kill_ray_feeder"
    SPOIL_REQUESTS = "spoil_requests"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that was done; `seconds` count from the start of the soak, `job` is the job that was running."""

    number: int
    seconds: float
    kind: FaultKind
    how: str
    job: int

    def as_json(self) -> dict[str, Any]:
        """A flat object."""
        return asdict(self)


class Scene(Protocol):
    """What faults are done to."""

    folder: Path
    cluster: LocalCluster
    mark: str
    storage: StorageFaults | None

    def kill_feeder(self, randomness: random.Random) -> int | None:
        """Kill the feeder of a pool; its process id, or None when it is not up yet or was dead already."""
        ...

    def feeder_numbers(self) -> Collection[int]:
        """The numbers of the feeders that are up, or that are starting: one per pool."""
        ...

    def poison_next_job(self) -> threading.Event:
        """Give the next job an input with the poison; the event is set when that job begins."""
        ...


def shuffled_kinds(kinds: Sequence[FaultKind], number: int, *, randomness: random.Random) -> Iterator[FaultKind]:
    """So many faults in random order, of each kind as many as of any other."""
    deck = [kinds[place % len(kinds)] for place in range(number)]
    randomness.shuffle(deck)
    yield from deck


class FaultInjector:
    """Does faults to a scene; `stop` ends whatever waits for its victim."""

    def __init__(self, scene: Scene, randomness: random.Random, stop: threading.Event) -> None:
        self._scene = scene
        self._randomness = randomness
        self._stop = stop

    def do(self, kind: FaultKind) -> str | None:
        """Do one fault as soon as it has a victim, and say how; None when the soak was stopped before."""
        deeds = {
            FaultKind.KILL_ACTOR: self._kill_actor,
            FaultKind.HANG_ACTOR: self._hang_actor,
            FaultKind.OUT_OF_MEMORY: self._out_of_memory,
            FaultKind.KILL_FEEDER: self._kill_feeder,
            FaultKind.KILL_NODE: self._kill_node,
            FaultKind.POISON_ROW: self._poison_row,
            FaultKind.KILL_RAY_FEEDER: self._kill_ray_feeder,
            FaultKind.SPOIL_REQUESTS: self._spoil_requests,
        }
        while not self._stop.wait(_POLL_SECONDS):
            how = deeds[kind]()
            if how is not None:
                return how
        return None

    def _kill_actor(self) -> str | None:
        return self._signal_actor(signal.SIGKILL)

    def _hang_actor(self) -> str | None:
        how = self._randomness.choice((Order.SLEEP, Order.HOLD, "stop"))
        return self._signal_actor(signal.SIGSTOP) if how == "stop" else self._ordered(Order(how))

    def _out_of_memory(self) -> str | None:
        return self._ordered(self._randomness.choice((Order.SAY_FULL, Order.ALLOCATE)))

    def _kill_feeder(self) -> str | None:
        pid = self._scene.kill_feeder(self._randomness)
        return None if pid is None else f"SIGKILL to feeder {pid}"

    def _kill_ray_feeder(self) -> str | None:
        return self._signal_one(ray_feeders(self._scene.mark), signal.SIGKILL, role="a feeder of several, process")

    def _spoil_requests(self) -> str | None:
        storage = self._scene.storage
        if storage is None:
            raise ConfigurationError("spoil_requests: no store of this soak is on object storage")
        how = storage.spoil(self._randomness)
        while storage.is_waiting:
            if self._stop.wait(_POLL_SECONDS):
                storage.forget()
                return None
        return how

    def _kill_node(self) -> str | None:
        if not self._scene.cluster.nodes:
            self._scene.cluster.add_node()
        self._scene.cluster.kill_node()
        away = self._randomness.uniform(0.0, 4.0)
        self._stop.wait(away)
        self._scene.cluster.add_node()
        return f"SIGKILL to all of a node, another one came {away:.1f} s later"

    def _poison_row(self) -> str | None:
        begun = self._scene.poison_next_job()
        while not begun.wait(_POLL_SECONDS):
            if self._stop.is_set():
                return None
        return "a sentence that kills every actor that reads it"

    def _signal_actor(self, number: signal.Signals) -> str | None:
        current, mark = self._scene.feeder_numbers(), self._scene.mark
        actors = [pid for feeder, pid in signed_in(self._scene.folder) if feeder in current and is_running(pid, mark)]
        return self._signal_one(actors, number, role="actor")

    def _signal_one(self, pids: Sequence[int], number: signal.Signals, *, role: str) -> str | None:
        if not pids:
            return None
        victim = self._randomness.choice(pids)
        try:
            os.kill(victim, number)
        except ProcessLookupError:  # it has died of another fault just now
            return None
        return f"{number.name} to {role} {victim}"

    def _ordered(self, order: Order) -> str | None:
        path = give_order(self._scene.folder, order)
        while path.exists():
            if self._stop.wait(_POLL_SECONDS):
                path.unlink(missing_ok=True)
                return None
        return f"order {order.value} to an actor"


def wait_random(randomness: random.Random, mean_seconds: float, *, stop: threading.Event) -> None:
    """Wait for a time as between the clicks of a Geiger counter: short gaps, and so overlapping faults, are common."""
    stop.wait(min(randomness.expovariate(1.0 / mean_seconds), 6 * mean_seconds))


def seconds_since(started: float) -> float:
    """Seconds of `time.monotonic` since then, to a tenth."""
    return round(time.monotonic() - started, 1)
