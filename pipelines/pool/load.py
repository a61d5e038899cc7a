"""What a run costs: the time that actors are at work, and the time and memory that processes take."""

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bioner_core.process_memory import peak_memory

if TYPE_CHECKING:  # they import Ray, and an actor measures itself by this module
    from pipelines.pool.actors import ActorStatus
    from pipelines.pool.pool import Pool


@dataclass(frozen=True, slots=True)
class BusyTime:
    """Seconds at work, and seconds since the first piece of work began; both 0 before that."""

    busy_seconds: float = 0.0
    serving_seconds: float = 0.0

    def __add__(self, other: "BusyTime") -> "BusyTime":
        return BusyTime(self.busy_seconds + other.busy_seconds, self.serving_seconds + other.serving_seconds)

    def __sub__(self, other: "BusyTime") -> "BusyTime":
        return BusyTime(self.busy_seconds - other.busy_seconds, self.serving_seconds - other.serving_seconds)

    @property
    def share(self) -> float | None:
        """The part of the time that was worked, from 0 to 1; None before the first piece of work."""
        return self.busy_seconds / self.serving_seconds if self.serving_seconds > 0 else None


class BusyClock:
    """Runs while its process works, one piece at a time; may be read by another thread meanwhile."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy = 0.0
        self._first: float | None = None
        self._began: float | None = None

    @contextmanager
    def working(self) -> Iterator[None]:
        """The block is a piece of work, however it ends."""
        with self._lock:
            self._began = time.monotonic()
            self._first = self._began if self._first is None else self._first
        try:
            yield
        finally:
            with self._lock:
                self._busy += time.monotonic() - self._began
                self._began = None

    def read(self) -> BusyTime:
        """The time until now, a piece of work that still goes on included."""
        now = time.monotonic()
        with self._lock:
            running = 0.0 if self._began is None else now - self._began
            return BusyTime() if self._first is None else BusyTime(self._busy + running, now - self._first)


def busy_between(before: Mapping[str, tuple[int, BusyTime]], after: Mapping[str, tuple[int, BusyTime]]) -> BusyTime:
    """The time of all actors together between two readings, each (process, time) by actor name.

    Of an actor that was started afresh in between, what its last process did is counted, and no more.
    """
    total = BusyTime()
    for name, (process, time_) in after.items():
        earlier_process, earlier = before.get(name, (process, BusyTime()))
        total += time_ - earlier if earlier_process == process else time_
    return total


_RESET = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


def forget_peak_memory() -> None:
    """Let the peak be counted from now on, where the system can do that (Linux)."""
    if _RESET.exists():
        _RESET.write_text(_RESET_PEAK, encoding="utf-8")


_STAT = Path("/proc/self/stat")
_START_FIELD, _FIRST_FIELD = 22, 3
_AT_IMPORT = time.monotonic()


def process_started() -> float:
    """When this process began, by the monotonic clock; where no /proc tells it, when this module was imported."""
    if not _STAT.is_file():
        return _AT_IMPORT
    fields = _STAT.read_text(encoding="utf-8").rpartition(")")[2].split()  # the name before it may hold anything
    since_boot = int(fields[_START_FIELD - _FIRST_FIELD]) / os.sysconf("SC_CLK_TCK")
    return time.monotonic() - (time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot)


@dataclass(frozen=True, slots=True)
class RunLoad:
    """Figures of one run; None where nobody looked, or where the runner does not work in this process.

    `actor_busy_share` is the part of the actors' time, from their first batch in this run to its end, that they were at
    work. `first_document_seconds` is how long after the start of the command the answers to a first document were here.
    `feeder_cpu_seconds` is the processor time of this process, `feeder_peak_memory` the most bytes that it had in
    memory, `actor_peak_memory` the most that any actor's process had, the loading of its model included.
    `startup_seconds` is how long after the start of the command the actors were ready: what no later shard pays again.
    """

    actor_busy_share: float | None = None
    first_document_seconds: float | None = None
    feeder_cpu_seconds: float | None = None
    feeder_peak_memory: int | None = None
    actor_peak_memory: int | None = None
    startup_seconds: float | None = None


class RunWatch:
    """Measures a run, from when it is made, just before it. `pool` is None where somebody else's pool is used."""

    def __init__(self, pool: "Pool | None") -> None:
        self._pool = pool
        self._busy_before = _busy_times(self._actors())
        self._cpu_before = time.process_time()

    def load(self, first_document_seconds: float | None, *, startup_seconds: float | None = None) -> RunLoad:
        """The figures of the run, which has just ended."""
        cpu_seconds = time.process_time() - self._cpu_before
        actors = self._actors()
        share = busy_between(self._busy_before, _busy_times(actors)).share
        return RunLoad(
            actor_busy_share=None if share is None else round(share, 4),
            first_document_seconds=None if first_document_seconds is None else round(first_document_seconds, 3),
            startup_seconds=None if startup_seconds is None else round(startup_seconds, 3),
            feeder_cpu_seconds=round(cpu_seconds, 3),
            feeder_peak_memory=peak_memory(),
            actor_peak_memory=max((one.peak_memory for one in actors.values()), default=None),
        )

    def _actors(self) -> "dict[str, ActorStatus]":
        found = self._pool.health() if self._pool else {}
        return {name: status for name, status in found.items() if status is not None}


def _busy_times(actors: "dict[str, ActorStatus]") -> dict[str, tuple[int, BusyTime]]:
    return {name: (status.pid, status.busy) for name, status in actors.items()}
