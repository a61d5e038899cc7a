"""The buckets of mistakes: by hand, and as a partition of what is not right."""

import pytest
from hypothesis import given

from bioner_core.evaluation.mistakes import MistakeKind, count_mistakes, mistakes
from bioner_core.evaluation.scoring import RecordSpans, UnitRuler
from bioner_core.mentions import Span
from tests.bioner_core.evaluation.evaluation_samples import TEXT, records, run_with_every_mistake

RULER = UnitRuler("one two three four five six")
TWO, TWO_THREE, ONE_TO_FOUR = Span(4, 7, "X"), Span(4, 13, "X"), Span(0, 18, "X")


def kinds(gold: list[Span], predicted: list[Span]) -> list[tuple[MistakeKind, Span | None, Span | None]]:
    """The mistakes of one record, as tuples."""
    found = mistakes(RecordSpans(frozenset(gold), frozenset(predicted)), RULER)
    return [(one.kind, one.gold, one.predicted) for one in found]


@pytest.mark.parametrize(
    ("gold", "predicted", "kind"),
    [
        (TWO, Span(4, 7, "Y"), MistakeKind.WRONG_TYPE),
        (TWO, TWO_THREE, MistakeKind.BOUNDARY_ONE_UNIT),
        (TWO_THREE, TWO, MistakeKind.BOUNDARY_ONE_UNIT),
        # Both edges off by one are two units; a blank at the edge is none.
        (TWO_THREE, ONE_TO_FOUR, MistakeKind.OTHER_BOUNDARY),
        (TWO, Span(3, 7, "X"), MistakeKind.BOUNDARY_ONE_UNIT),
    ],
)
def test_a_pair_by_hand(gold: Span, predicted: Span, kind: MistakeKind) -> None:
    """Catches distances in characters instead of units, and one edge that is not looked at."""
    assert kinds([gold], [predicted]) == [(kind, gold, predicted)]


def test_spans_that_only_touch_or_have_another_type_do_not_explain_each_other() -> None:
    """Catches an end taken as inclusive, and an inner span of one type that explains an outer one of another."""
    touching = Span(7, 13, "X")
    assert kinds([TWO], [touching]) == [(MistakeKind.MISSED, TWO, None), (MistakeKind.SPURIOUS, None, touching)]
    other = Span(4, 13, "Y")
    assert kinds([TWO], [other]) == [(MistakeKind.MISSED, TWO, None), (MistakeKind.SPURIOUS, None, other)]


def test_what_is_right_explains_nothing_else() -> None:
    """Catches a spurious inner span of a nested pair that passes for a boundary mistake of the outer one, found too."""
    assert kinds([ONE_TO_FOUR], [ONE_TO_FOUR, TWO]) == [(MistakeKind.SPURIOUS, None, TWO)]


def test_nested_spans_pair_with_their_nearest() -> None:
    """Catches a greedy pairing in text order, which would pair the outer gold with the inner prediction."""
    outer_guess, inner_guess = Span(0, 23, "X"), Span(8, 13, "X")
    assert kinds([ONE_TO_FOUR, TWO_THREE], [outer_guess, inner_guess]) == [
        (MistakeKind.BOUNDARY_ONE_UNIT, ONE_TO_FOUR, outer_guess),
        (MistakeKind.BOUNDARY_ONE_UNIT, TWO_THREE, inner_guess),
    ]


def test_two_types_at_the_same_edges_pair_once_each() -> None:
    """Catches one prediction that explains two gold spans."""
    gold = [Span(4, 7, "X"), Span(4, 7, "Y")]
    assert [one[0] for one in kinds(gold, [Span(4, 7, "Z")])] == [MistakeKind.WRONG_TYPE, MistakeKind.MISSED]


@given(records)
def test_every_wrong_span_is_in_one_bucket(pairs: list[RecordSpans]) -> None:
    """Catches spans that are counted twice or not at all: the buckets and the right ones add up to both sides."""
    ruler = UnitRuler(TEXT)
    for pair in pairs:
        found = mistakes(pair, ruler)
        assert sorted(one.gold for one in found if one.gold) == sorted(pair.gold - pair.predicted)
        assert sorted(one.predicted for one in found if one.predicted) == sorted(pair.predicted - pair.gold)
        for one in found:
            overlap = one.gold and one.predicted and one.gold.start < one.predicted.end
            assert (one.gold is None) == (one.kind is MistakeKind.SPURIOUS)
            assert (one.predicted is None) == (one.kind is MistakeKind.MISSED)
            assert not one.gold or not one.predicted or (overlap and one.predicted.start < one.gold.end)


@given(records)
def test_what_is_left_over_could_not_be_paired(pairs: list[RecordSpans]) -> None:
    """Catches a window of the search that is too narrow for a long span."""
    for pair in pairs:
        found = mistakes(pair, UnitRuler(TEXT))
        missed = [one.gold for one in found if one.kind is MistakeKind.MISSED and one.gold]
        spurious = [one.predicted for one in found if one.kind is MistakeKind.SPURIOUS and one.predicted]
        assert not [
            (a, b)
            for a in missed
            for b in spurious
            if (a.type == b.type and a.start < b.end and b.start < a.end) or (a.start, a.end) == (b.start, b.end)
        ]


def test_a_run_counts_every_kind_and_shows_a_few() -> None:
    """Catches examples that are not bounded, all from the first record, or whose spans miss their text."""
    run = run_with_every_mistake(9, examples=3)
    assert dict(run.evaluation.mistakes) == {
        "boundary_one_unit": 9,
        "other_boundary": 9,
        "wrong_type": 9,
        "missed": 18,
        "spurious": 9,
    }
    assert {len(chosen) for chosen in run.examples.values()} == {3}
    assert [one.record_id for one in run.examples[MistakeKind.WRONG_TYPE]] == ["0", "3", "6"]
    for one in run.examples[MistakeKind.WRONG_TYPE]:
        assert one.gold is not None
        assert one.text[one.gold.start : one.gold.end] == "CD28"
    assert run.without_selector is not None
    assert run.without_selector.mistakes["missed"] == 9
    assert count_mistakes([]) == dict.fromkeys(run.evaluation.mistakes, 0)
