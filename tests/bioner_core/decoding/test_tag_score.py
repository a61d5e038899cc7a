"""Tag scores, worked by hand."""

import pytest
import torch

from bioner_core.decoding.rows import DecodedRow, tag_score
from bioner_core.tagging.moves import CLOSE, COPY, open_move, tag_pairs

MOVES = (open_move(0), COPY, open_move(1), COPY, CLOSE, CLOSE)


def scores(*margins: float) -> list[float]:
    """The scores of the outer and the inner mention of three units' worth of moves with these margins."""
    row = DecodedRow(MOVES, torch.tensor(margins), torch.zeros(len(MOVES) + 1, 4))
    return [tag_score(row, pair) for pair in sorted(tag_pairs(MOVES, 2), key=lambda pair: pair.open_index)]


def test_a_score_is_the_mean_margin_of_its_own_two_tags() -> None:
    """Would catch a score that takes the margins of copies, or those of the mention around it."""
    assert scores(1.0, 50.0, 3.0, 50.0, 5.0, 2.0) == pytest.approx([1.5, 4.0])


def test_a_tag_that_had_to_come_does_not_count() -> None:
    """Would catch an infinite score, of a closing tag that was the only legal move."""
    assert scores(1.0, 50.0, 3.0, 50.0, float("inf"), float("inf")) == pytest.approx([1.0, 3.0])
