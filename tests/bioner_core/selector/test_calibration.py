"""Calibration and thresholds on hand-worked and made-up candidates."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.selector.calibration import F1_TO_SPARE, Calibration, fit_calibration, tag_score_threshold

candidates = st.lists(st.tuples(st.floats(0.01, 0.99), st.booleans()), max_size=12)


@given(candidates, st.integers(0, 5))
def test_no_higher_threshold_is_as_good(found: list[tuple[float, bool]], missed: int) -> None:
    """Would catch an off-by-one in the sweep: every cut between candidates is tried by brute force."""
    gold = sum(right for _, right in found) + missed
    threshold, f1 = tag_score_threshold([one for one, _ in found], [right for _, right in found], gold_count=gold)

    def f1_at(cut: float) -> float:
        kept = [right for probability, right in found if probability >= cut]
        return 2 * sum(kept) / (len(kept) + gold) if kept or gold else 0.0

    cuts = [0.0, *(probability for probability, _ in found), 1.0]
    near_best = max(map(f1_at, cuts)) - F1_TO_SPARE
    assert f1_at(threshold) == pytest.approx(f1)
    assert f1 >= near_best
    if f1 > 0:
        assert all(f1_at(cut) < near_best for cut in cuts if cut > threshold and f1_at(cut) != pytest.approx(f1))


def test_a_hand_worked_threshold() -> None:
    """Would catch F1 computed against the found spans instead of all gold spans."""
    threshold, f1 = tag_score_threshold([0.9, 0.8, 0.3], [True, True, False], gold_count=4)
    assert threshold == pytest.approx(0.55)
    assert f1 == pytest.approx(2 * 2 / (2 + 4))


def test_precision_is_bought_for_a_little_f1() -> None:
    """Would catch a threshold at the very best F1, where one candidate in a thousand right ones decides."""
    found = [True] * 1000 + [False] * 500 + [True] * 251
    probabilities = [1 - place / 2000 for place in range(len(found))]
    threshold, f1 = tag_score_threshold(probabilities, found, gold_count=1251)
    kept = [right for probability, right in zip(probabilities, found, strict=True) if probability >= threshold]
    assert sum(kept) / len(kept) > 0.99
    assert f1 == pytest.approx(2 * 1000 / (1000 + 1251), abs=0.002)


def test_calibration_learns_the_rate_of_each_group() -> None:
    """Would catch a fit that does not converge, or a calibration that ignores its inputs."""
    similarity = torch.cat((torch.full((400,), -2.0), torch.full((400,), 2.0)))
    scores = torch.zeros(800)
    right = torch.cat((torch.arange(400) % 10 == 0, torch.arange(400) % 10 != 0))
    calibration = Calibration()
    fit_calibration(calibration, similarity, tag_score=scores, is_right=right)
    probabilities = torch.sigmoid(calibration(similarity, scores)).detach()
    assert probabilities[0] == pytest.approx(0.1, abs=0.02)
    assert probabilities[-1] == pytest.approx(0.9, abs=0.02)


def test_thresholds_are_at_the_door_of_zero_when_all_is_right() -> None:
    """Would catch a threshold that drops candidates when every one of them is right."""
    for count in itertools.islice(itertools.count(1), 4):
        assert tag_score_threshold([0.6] * count, [True] * count, gold_count=count) == (0.0, 1.0)


def test_similarity_and_tag_score_each_count_for_what_they_are_worth() -> None:
    """Would catch a logit that leaves one of its two numbers out, or takes a weight for the other's."""
    calibration = Calibration()
    with torch.no_grad():
        calibration.weight.copy_(torch.tensor([2.0, -0.5]))
        calibration.bias.fill_(0.25)
    logits = calibration(torch.tensor([1.0, 3.0]), torch.tensor([4.0, -2.0]))
    assert logits.tolist() == pytest.approx([2.0 - 2.0 + 0.25, 6.0 + 1.0 + 0.25])


def test_without_anything_to_find_nothing_is_turned_down() -> None:
    """Would catch a label set without right candidates whose threshold turns everything down unseen."""
    assert tag_score_threshold([0.4, 0.2], [False, False], gold_count=3) == (0.0, 0.0)
    assert tag_score_threshold([], [], gold_count=0) == (0.0, 0.0)


def test_scores_and_answers_must_belong_together() -> None:
    """Would catch candidates that are cut off in silence."""
    with pytest.raises(ValueError, match="zip"):
        tag_score_threshold([0.4, 0.2], [False], gold_count=3)
