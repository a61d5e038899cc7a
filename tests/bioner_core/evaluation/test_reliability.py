"""Bins of scores against precision, and the calibration error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.evaluation.reliability import ScoredCandidate, equal_bins, equal_counts, reliability
from tests.bioner_core.evaluation.evaluation_samples import run_with_every_mistake


def test_bins_by_hand() -> None:
    """Catches a probability of 1 that falls out of the last bin, and precision over all instead of over the bin."""
    first, last = equal_bins([(0.05, False), (0.09, True), (1.0, True)])
    assert (first.low, first.high, first.count, first.precision) == (0.0, 0.1, 2, 0.5)
    assert first.mean_score == pytest.approx(0.07)
    assert (last.low, last.high, last.count, last.precision) == (0.9, 1.0, 1, 1.0)


def test_calibration_error_of_overconfidence() -> None:
    """Catches bins that are not weighted by their candidates."""
    sure = [ScoredCandidate(0.0, 0.95, right) for right in [True, False] * 5]
    unsure = [ScoredCandidate(0.0, 0.05, False)] * 10
    found = reliability(sure + unsure, has_selector=True).calibration_error
    assert found == pytest.approx((0.45 * 10 + 0.05 * 10) / 20)
    assert reliability([], has_selector=True).calibration_error == 0.0
    assert reliability(sure, has_selector=False).calibration_error is None


@given(st.lists(st.tuples(st.floats(-5, 50), st.booleans()), max_size=60))
def test_equal_counts_lose_nothing(values: list[tuple[float, bool]]) -> None:
    """Catches candidates at an edge that are in no bin or in two, and bins out of order."""
    bins = equal_counts(values)
    assert sum(one.count for one in bins) == len(values)
    assert sum(one.count * one.precision for one in bins) == pytest.approx(sum(right for _, right in values))
    assert max((one.count for one in bins), default=0) - min((one.count for one in bins), default=0) <= 1
    edges = [edge for one in bins for edge in (one.low, one.high)]
    assert edges == sorted(edges)


def test_a_run_counts_rejected_candidates_too() -> None:
    """Catches a plot of the accepted ones alone, which would show nothing below the threshold."""
    found = run_with_every_mistake(2).reliability
    assert found.selector is not None
    first = found.selector[0]
    assert (first.low, first.count, first.precision) == (0.4, 2, 1.0)
    assert sum(one.count for one in found.tag_score) == 10
    assert run_with_every_mistake(2, has_selector=False).reliability.calibration_error is None
