"""Thresholds by type, drawn towards a common one, on made-up candidates."""

import math

import pytest
import torch

from bioner_core.selector.thresholds import GRID, JudgedCandidates, Thresholds, f1_of, fit_thresholds


def corpus(*groups: tuple[int, float, int, int], missed: int = 0) -> JudgedCandidates:
    """Candidates in groups of (tag, probability, right, wrong); `missed` gold spans of the first group's tag."""
    rows = [(tag, probability, right > n) for tag, probability, right, wrong in groups for n in range(right + wrong)]
    counts: dict[int, int] = {groups[0][0]: missed}
    for tag, _, right, _ in groups:
        counts[tag] = counts.get(tag, 0) + right
    tags, probabilities, is_right = zip(*rows, strict=True)
    return JudgedCandidates(torch.tensor(probabilities), torch.tensor(tags), torch.tensor(is_right), counts)


SURE = corpus((0, 0.9, 90, 10), (0, 0.35, 5, 60))
"""A corpus in which what has a probability of 0.35 is not worth keeping."""

UNSURE = corpus((1, 0.9, 40, 2), (1, 0.35, 60, 10))
"""One in which it is."""


def test_each_type_keeps_what_pays_for_it() -> None:
    """Would catch one threshold for all types, or types that are fitted on each other's candidates."""
    found = fit_thresholds([SURE, UNSURE], strength=1e-6)
    assert 0.35 < found.of(0) <= 0.9
    assert found.of(1) <= 0.35
    assert f1_of(found.kept(SURE), SURE) > f1_of(SURE.probability >= 0, SURE)
    assert f1_of(found.kept(UNSURE), UNSURE) == f1_of(UNSURE.probability >= 0, UNSURE)


def test_strength_draws_types_to_the_common_threshold() -> None:
    """Would catch shrinkage that is turned round, or that goes past the common threshold."""
    free, drawn, common = (fit_thresholds([SURE, UNSURE], strength=one) for one in (1e-6, 100.0, math.inf))
    assert common.by_tag == {}
    assert free.common == drawn.common == common.common
    for tag in (0, 1):
        low, high = sorted((free.of(tag), common.of(tag)))
        assert low <= drawn.of(tag) <= high
    assert drawn.of(0) != free.of(0) or drawn.of(1) != free.of(1)


def test_a_type_with_little_gold_follows_the_others() -> None:
    """Would catch a threshold that two spans decide."""
    rare = corpus((2, 0.1, 2, 0), (2, 0.8, 0, 2))
    found = fit_thresholds([SURE, rare], strength=100.0)
    assert abs(found.of(2) - found.common) < abs(found.of(0) - found.common) + 0.05


def test_a_type_that_no_corpus_marks_has_the_common_threshold() -> None:
    """Would catch unknown and free tags whose candidates are all accepted."""
    found = fit_thresholds([SURE], strength=30.0)
    assert found.of(17) == found.common > 0.35


def test_free_tags_are_fitted_on_their_own_candidates_alone() -> None:
    """Would catch unknown types that are turned down as known ones are, and known ones by what unknown ones showed."""
    free = corpus((9, 0.6, 10, 90), (9, 0.8, 60, 10))
    found = fit_thresholds([SURE, UNSURE, free], strength=math.inf, free=9)
    assert 0.6 < found.of(9) <= 0.8
    assert found.common == fit_thresholds([SURE, UNSURE], strength=math.inf).common
    assert fit_thresholds([SURE], strength=math.inf, free=9).by_tag == {}


def test_missed_gold_counts() -> None:
    """Would catch F1 against what was found alone: where much is missed, a lower threshold pays."""
    kept = torch.tensor([True, True])
    found = JudgedCandidates(torch.tensor([0.5, 0.5]), torch.tensor([0, 0]), torch.tensor([True, False]), {0: 3})
    assert f1_of(kept, found) == pytest.approx(2 / 5)
    assert Thresholds(0.4, {0: 0.6}).kept(found).tolist() == [False, False]


def test_the_lowest_of_those_that_cost_as_little_is_taken() -> None:
    """Would catch the highest one: on other text it costs recall, which is what is missing there."""
    bare = fit_thresholds([SURE], strength=math.inf)
    assert 0.35 < bare.common <= 0.38
    assert fit_thresholds([SURE], strength=math.inf, spare=1.0).common == min(GRID)
    assert (
        fit_thresholds([SURE, UNSURE], strength=30.0, spare=0.01).common
        <= fit_thresholds([SURE, UNSURE], strength=30.0).common
    )
