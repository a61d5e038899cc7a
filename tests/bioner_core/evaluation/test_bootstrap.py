"""The interval of micro-F1."""

import numpy as np
import pytest
from numpy.typing import NDArray

from bioner_core.evaluation import report
from bioner_core.evaluation.report import f1_interval
from bioner_core.evaluation.scoring import RecordSpans
from bioner_core.mentions import Span

HIT = RecordSpans(frozenset({Span(0, 1, "X")}), frozenset({Span(0, 1, "X")}))
MISS = RecordSpans(frozenset({Span(0, 1, "X")}), frozenset())
EMPTY = RecordSpans(frozenset(), frozenset())


def test_the_same_seed_gives_the_same_interval() -> None:
    """Catches a report that changes from run to run."""
    records = [HIT, MISS] * 50
    assert f1_interval(records) == f1_interval(records)
    assert f1_interval(records) != f1_interval(records, seed=1)


def test_the_interval_is_that_of_the_binomial() -> None:
    """Catches a resample of the wrong size, and percentiles of the wrong tail.

    With hits and misses only, F1 = 2h / (n + h) for h hits of n; h of a resample is binomial.
    """
    size = 400
    low, high = f1_interval([HIT] * 300 + [MISS] * 100, resamples=4000)
    hits = np.random.default_rng(5).binomial(size, 0.75, 200_000)
    expected = np.percentile(2 * hits / (size + hits), [2.5, 97.5])
    assert (low, high) == pytest.approx(tuple(expected), abs=0.004)


def test_records_without_entities_do_not_count_as_wrong() -> None:
    """Catches an F1 of 0 for a record that has nothing to find."""
    assert f1_interval([HIT, EMPTY] * 40) == (1.0, 1.0)


def test_no_records_one_record_and_nothing_found() -> None:
    """Catches a division by zero at each end."""
    assert f1_interval([]) == (0.0, 0.0)
    assert f1_interval([HIT]) == (1.0, 1.0)
    assert f1_interval([MISS, EMPTY]) == (0.0, 0.0)


def test_draws_in_parts_are_all_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a last part that is lost or too long when the draws do not fit in memory at once."""
    seen: list[int] = []
    percentile = np.percentile

    def counting(scores: NDArray[np.float64], wanted: list[float]) -> NDArray[np.float64]:
        seen.append(len(scores))
        return percentile(scores, wanted)

    monkeypatch.setattr(report, "_DRAWS_AT_ONCE", 70)
    monkeypatch.setattr(np, "percentile", counting)
    f1_interval([HIT, MISS] * 5, resamples=1000)
    assert seen == [1000]
