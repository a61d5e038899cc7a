"""Watches one run from outside: what it costs this process, and how busy it keeps the actors."""

import time
from typing import TYPE_CHECKING

from pipelines.pool.load import BusyTime, RunLoad, busy_between, peak_memory

if TYPE_CHECKING:
    from pipelines.pool.actors import ActorStatus
    from pipelines.pool.pool import Pool
import os
from pathlib import Path


class RunWatch:
    """Looks at the clocks when it is made, just before the run. `pool` is None where somebody else's pool is used."""

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


_STAT = Path("/proc/self/stat")
_START_FIELD, _FIRST_FIELD = 22, 3
_AT_IMPORT = time.monotonic()


def process_started() -> float:
    """The instant, by the monotonic clock; where the system does not tell (not Linux), that of this module's import."""
    if not _STAT.is_file():
        return _AT_IMPORT
    fields = _STAT.read_text(encoding="utf-8").rpartition(")")[2].split()  # the name before it may hold anything
    since_boot = int(fields[_START_FIELD - _FIRST_FIELD]) / os.sysconf("SC_CLK_TCK")
    return time.monotonic() - (time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot)
