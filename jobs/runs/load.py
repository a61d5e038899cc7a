"""What a run costs, and how fast it goes: this process and the actors while it runs, and the rate kept for the next.

A rate is in rows (sentences times label sets) per second.
"""

import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bioner_core.errors import StoreError
from bioner_core.models.base_model import cache_folder
from bioner_core.models.precision_choice import PrecisionChoice, with_rates
from bioner_core.models.precision_rates import layer_count, matrix_shapes
from bioner_core.models.processor import processor_name
from bioner_core.store.atomic import write_text
from pipelines.pool.load import BusyTime, RunLoad, busy_between, peak_memory
from pipelines.pool.pool_settings import PoolSettings

if TYPE_CHECKING:
    from pipelines.pool.actors import ActorStatus
    from pipelines.pool.pool import Pool


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


LEAST_ROWS = 50
"""A run of fewer rows says little: its batches are small, and its start weighs much."""

_FOLDER = "row_rates"
GPU_ROWS_PER_SECOND = 100.0
"""The first guess for a GPU: the lowest rate that docs/operations.md reckons with. With twice as much the first shards
of a slow one would be two minutes of work; on a fast one they are short until the first run has ended."""

_TOKENS_PER_ROW = 100
"""What a row makes the model read: the sentence, its copy, and some of the copy twice."""

_OF_MATRIX_RATE = 0.5
"""The share of the rate of bare matrix products that a run reaches: attention, Python and waiting are the rest."""


def kept_rate(key: str) -> float | None:
    """The rate of the last run of this kind on this machine; None where there was none."""
    try:
        found = float(json.loads(_path(key).read_text(encoding="utf-8"))["rows_per_second"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if found > 0 else None


def keep_rate(key: str, *, rows: int, seconds: float) -> None:
    """Keep the rate of a run that has ended; one of a few rows is forgotten."""
    if rows < LEAST_ROWS or seconds <= 0:
        return
    try:
        write_text(_path(key), json.dumps({"rows_per_second": round(rows / seconds, 3)}) + "\n")
    except (StoreError, OSError):
        return  # without it the next run guesses


def rate_key(fingerprint: str, settings: PoolSettings, *, pool: str | None = None) -> str:
    """The key of runs of one kind: of the same annotator, with as many and such actors, on the same processor."""
    actors = [settings.actors, settings.gpus_per_actor, settings.threads_per_actor, settings.ray_address]
    parts = [processor_name(), fingerprint, pool, *actors]  # not the namespace, which is drawn anew for each run
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:20]


def guessed_rate(choice: PrecisionChoice, base: Path | None, *, gpus: float) -> float:
    """A first guess: by the GPUs that all actors have together, else from the rate of matrix products here, the size of
    the base and the processors there are."""
    if gpus:
        return GPU_ROWS_PER_SECOND * gpus
    known = with_rates(choice, on_gpu=False, base=base) if base is not None else choice
    if base is None or choice.name not in known.rates:
        return 1.0
    per_token = 2.0 * layer_count(base) * sum(one * other for one, other in matrix_shapes(base))
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return _OF_MATRIX_RATE * threads * known.rates[choice.name] / (per_token * _TOKENS_PER_ROW)


def _path(key: str) -> Path:
    return cache_folder() / _FOLDER / f"{key}.json"
