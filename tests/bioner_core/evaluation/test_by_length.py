"""Lengths and distances in tagging units, and scores by length."""

from hypothesis import given

from bioner_core.evaluation.report import score_by_length
from bioner_core.evaluation.scoring import RecordSpans, Score, UnitRuler, score
from bioner_core.mentions import Span
from bioner_core.text.units import split_units
from tests.bioner_core.evaluation.evaluation_samples import TEXT, records


def test_units_by_hand() -> None:
    """Catches lengths in characters or words: `IL-2` is three units, `肺炎` two."""
    ruler = UnitRuler("IL-2 gene 肺炎")
    assert [ruler.length(span) for span in (Span(0, 4, ""), Span(0, 9, ""), Span(10, 12, ""), Span(1, 2, ""))] == [
        3,
        4,
        2,
        1,
    ]
    assert ruler.distance(Span(0, 4, ""), Span(0, 9, "")) == 1
    assert ruler.distance(Span(0, 4, ""), Span(3, 9, "")) == 3


@given(records)
def test_units_equal_a_count(pairs: list[RecordSpans]) -> None:
    """Catches an edge that falls to the neighbouring unit."""
    ruler, units = UnitRuler(TEXT), split_units(TEXT)
    for span in {span for pair in pairs for side in pair for span in side}:
        assert ruler.length(span) == sum(unit.start < span.end and span.start < unit.end for unit in units)


def test_scores_by_length_by_hand() -> None:
    """Catches a prediction that counts under the length of the gold span it meant."""
    gold, predicted = frozenset({Span(0, 3, "X"), Span(4, 7, "X")}), frozenset({Span(0, 3, "X"), Span(4, 13, "X")})
    found = score_by_length([RecordSpans(gold, predicted)], [UnitRuler("one two three")])
    assert found == {
        "1": Score(1.0, 0.5, 2 / 3, support=2, predicted=1),
        "2": Score(0.0, 0.0, 0.0, support=0, predicted=1),
    }


@given(records)
def test_lengths_add_up(pairs: list[RecordSpans]) -> None:
    """Catches a length without a bucket."""
    found = score_by_length(pairs, [UnitRuler(TEXT)] * len(pairs)).values()
    whole = score(pairs)
    assert (sum(one.support for one in found), sum(one.predicted for one in found)) == (whole.support, whole.predicted)
