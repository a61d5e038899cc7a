"""How fast runs of one kind go on this machine: the rate of the last one, kept for the next, or a first guess.

A rate is in rows (sentences times label sets) per second. It decides how large shards are: about a minute of work.
"""

import hashlib
import json
from pathlib import Path

from bioner_core.errors import StoreError
from bioner_core.models.base_model import cache_folder
from bioner_core.models.precision_choice import PrecisionChoice, with_rates
from bioner_core.models.precision_rates import layer_count, matrix_shapes
from bioner_core.models.processor import processor_name
from bioner_core.store.atomic import write_text
from pipelines.pool.pool_settings import PoolSettings, usable_processors

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
    return _OF_MATRIX_RATE * usable_processors() * known.rates[choice.name] / (per_token * _TOKENS_PER_ROW)


def _path(key: str) -> Path:
    return cache_folder() / _FOLDER / f"{key}.json"
