"""How far a micro-F1 could have fallen out otherwise on records like these: a seeded bootstrap over records."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bioner_core.evaluation.scoring import RecordSpans

RESAMPLES = 1000
SEED = 20_251
_DRAWS_AT_ONCE = 4_000_000


def f1_interval(records: Sequence[RecordSpans], *, resamples: int = RESAMPLES, seed: int = SEED) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of strict micro-F1 over `resamples` draws of `len(records)` records.

    Records are drawn with replacement, whole: entities of one record are not independent. The same records, resamples
    and seed give the same interval. Without records it is (0, 0); with one record it has no width.
    """
    if not records:
        return 0.0, 0.0
    scores = _resampled_f1(_counts(records), resamples=resamples, generator=np.random.default_rng(seed))
    low, high = np.percentile(scores, [2.5, 97.5])
    return float(low), float(high)


def _counts(records: Sequence[RecordSpans]) -> NDArray[np.int64]:
    """One row per record: right predictions, predictions plus gold spans. *Shape:* (records, 2)."""
    rows = [(len(r.gold & r.predicted), len(r.gold) + len(r.predicted)) for r in records]
    return np.array(rows, dtype=np.int64)


def _resampled_f1(counts: NDArray[np.int64], *, resamples: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """F1 of each resample, by 2 × right ÷ (predicted + gold). *Shape:* (resamples,)."""
    size = len(counts)
    at_once = max(1, _DRAWS_AT_ONCE // size)
    sums = [
        counts[generator.integers(0, size, (min(at_once, resamples - done), size))].sum(axis=1)
        for done in range(0, resamples, at_once)
    ]
    totals = np.concatenate(sums)
    scores: NDArray[np.float64] = 2.0 * totals[:, 0] / np.maximum(totals[:, 1], 1)
    return scores
