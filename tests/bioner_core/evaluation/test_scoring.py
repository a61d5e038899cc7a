"""Scores against cases worked by hand, against an independent count and against a public scorer."""

import math
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nervaluate import Evaluator

from bioner_core.evaluation.scoring import (
    RecordSpans,
    Score,
    inside,
    overlapping,
    score,
    score_boundaries,
    score_by_type,
    score_flat,
    score_inner,
    score_nested,
    score_relaxed,
)
from bioner_core.mentions import Span

spans = st.builds(
    lambda start, size, name: Span(start, start + size, name),
    st.integers(0, 12),
    st.integers(1, 6),
    st.sampled_from("XYZ"),
)
records = st.lists(
    st.builds(RecordSpans, st.frozensets(spans, max_size=6), st.frozensets(spans, max_size=6)), max_size=5
)


def record(gold: Iterable[Span], predicted: Iterable[Span]) -> RecordSpans:
    """One record of these spans."""
    return RecordSpans(frozenset(gold), frozenset(predicted))


INNER, OUTER, ALONE = Span(0, 4, "protein"), Span(0, 9, "DNA"), Span(20, 25, "protein")
EXAMPLE = [
    # One nested pair of which the outer is found, one flat span with its end wrong, one invention.
    record([INNER, OUTER, ALONE], [OUTER, Span(20, 26, "protein"), Span(40, 42, "DNA")]),
    # The right edges with the wrong type.
    record([Span(3, 5, "RNA")], [Span(3, 5, "DNA")]),
    record([], []),
]


def test_strict_by_hand() -> None:
    """Catches an average over records instead of counts, and partial matches that count."""
    assert score(EXAMPLE) == Score(precision=1 / 4, recall=1 / 4, f1=1 / 4, support=4, predicted=4)


def test_by_type_by_hand() -> None:
    """Catches types that only predictions have being left out, and a hit counted for the wrong type."""
    assert score_by_type(EXAMPLE) == {
        "DNA": Score(1 / 3, 1.0, 0.5, support=1, predicted=3),
        "RNA": Score(0.0, 0.0, 0.0, support=1, predicted=0),
        "protein": Score(0.0, 0.0, 0.0, support=2, predicted=1),
    }


def test_boundaries_and_relaxed_by_hand() -> None:
    """Catches a boundary score that looks at types, and a relaxed score that lets one side's count stand for both."""
    assert score_boundaries(EXAMPLE) == Score(0.5, 0.5, 0.5, support=4, predicted=4)
    # Right: OUTER and 20:26; found: OUTER and ALONE, for INNER no protein was predicted near it.
    assert score_relaxed(EXAMPLE) == Score(0.5, 0.5, 0.5, support=4, predicted=4)


def test_relaxed_counts_each_side_by_itself() -> None:
    """Catches a one-to-one pairing: one long gold span makes two predictions right, and is one found span."""
    both = [record([Span(0, 10, "X"), Span(30, 31, "X")], [Span(0, 2, "X"), Span(5, 7, "X"), Span(10, 12, "X")])]
    found = score_relaxed(both)
    assert (found.precision, found.recall) == (2 / 3, 1 / 2)


def test_edges_that_touch_do_not_overlap() -> None:
    """Catches an end taken as inclusive."""
    assert overlapping(frozenset({Span(0, 4, "X"), Span(4, 8, "X")})) == frozenset()


def test_flat_and_nested_by_hand() -> None:
    """Catches a nested recall over all gold, and predictions counted nested by the gold side's nesting."""
    flat, nested = score_flat(EXAMPLE), score_nested(EXAMPLE)
    assert (nested.recall, nested.support) == (1 / 2, 2)
    assert nested.only == Score(0.0, 0.0, 0.0, support=2, predicted=0)
    assert (flat.recall, flat.support) == (0.0, 2)
    assert flat.only == Score(0.0, 0.0, 0.0, support=2, predicted=4)


def test_nested_corpora_by_hand() -> None:
    """Catches, in three levels of one type and a crossing, a span that counts as inside itself or its crossing mate."""
    whole, middle, core, crossing = Span(0, 20, "X"), Span(0, 9, "X"), Span(5, 9, "X"), Span(15, 30, "Y")
    gold = [whole, middle, core, crossing]
    assert inside(frozenset(gold)) == {middle, core}
    found = record(gold, [whole, core, crossing])
    assert (score_nested([found]).recall, score_nested([found]).support) == (3 / 4, 4)
    # Inside another: one of two found; on the predictions' side only the core lies in another.
    assert (score_inner([found]).recall, score_inner([found]).only.precision) == (1 / 2, 1.0)
    assert (score([found]).precision, score([found]).recall) == (1.0, 3 / 4)


def test_one_edge_pair_with_two_types_is_nested_and_one_boundary() -> None:
    """Catches spans with equal edges that pass for flat, or that a type-blind score counts twice."""
    both = [record([Span(0, 4, "X"), Span(0, 4, "Y")], [Span(0, 4, "X")])]
    assert score_nested(both).support == 2
    assert score_boundaries(both) == Score(1.0, 1.0, 1.0, support=1, predicted=1)


@pytest.mark.parametrize(
    ("gold", "predicted"), [([], []), ([INNER], []), ([], [INNER])], ids=["neither", "no prediction", "no gold"]
)
def test_nothing_to_divide_by_is_zero(gold: list[Span], predicted: list[Span]) -> None:
    """Catches a division by zero, and a perfect score for an empty answer."""
    pairs = [record(gold, predicted)]
    for found in (score(pairs), score_boundaries(pairs), score_relaxed(pairs), score_nested(pairs).only):
        assert (found.precision, found.recall, found.f1) == (0.0, 0.0, 0.0)
    assert score([]) == Score(0.0, 0.0, 0.0, support=0, predicted=0)


@given(records)
def test_strict_equals_a_count_by_loops(pairs: list[RecordSpans]) -> None:
    """Catches any slip in the set arithmetic: this count compares every span with every other."""
    right = sum(
        1 for p in pairs for a in p.gold for b in p.predicted if (a.start, a.end, a.type) == (b.start, b.end, b.type)
    )
    gold, predicted = sum(len(p.gold) for p in pairs), sum(len(p.predicted) for p in pairs)
    found = score(pairs)
    assert (found.support, found.predicted) == (gold, predicted)
    assert math.isclose(found.f1, 2 * right / (gold + predicted) if gold + predicted else 0.0)


@given(records)
def test_overlaps_equal_a_count_by_loops(pairs: list[RecordSpans]) -> None:
    """Catches a sweep that misses an overlap with a far earlier span."""
    right = found = 0
    for pair in pairs:
        for side in pair:
            brute = {a for a in side for b in side if a != b and a.start < b.end and b.start < a.end}
            assert overlapping(side) == brute
            held = {
                a
                for a in side
                for b in side
                if b.start <= a.start and a.end <= b.end and (a.start, a.end) != (b.start, b.end)
            }
            assert inside(side) == held
        hits = [
            (a, b)
            for a in pair.gold
            for b in pair.predicted
            if a.type == b.type and a.start < b.end and b.start < a.end
        ]
        right += len({b for _, b in hits})
        found += len({a for a, _ in hits})
    relaxed = score_relaxed(pairs)
    assert math.isclose(relaxed.precision * max(1, relaxed.predicted), right)
    assert math.isclose(relaxed.recall * max(1, relaxed.support), found)


@given(records)
def test_types_and_subsets_add_up(pairs: list[RecordSpans]) -> None:
    """Catches a gold span that is in no type, or in both or neither of flat and nested."""
    whole = score(pairs)
    assert sum(line.support for line in score_by_type(pairs).values()) == whole.support
    flat, nested = score_flat(pairs), score_nested(pairs)
    assert flat.support + nested.support == whole.support
    right = flat.recall * flat.support + nested.recall * nested.support
    assert math.isclose(right, whole.recall * whole.support, abs_tol=1e-9)


flat_layouts = st.lists(
    st.lists(
        st.tuples(
            st.integers(0, 3), st.integers(1, 3), st.sampled_from("XYZ"), st.sampled_from("XYZ-"), st.integers(0, 2)
        ),
        max_size=8,
    ),
    min_size=1,
    max_size=3,
)
"""Records of flat entities: gap before each, length, type, what was predicted there, and how much shorter that is."""


@given(flat_layouts)
def test_flat_scores_equal_those_of_a_public_scorer(layouts: list[list[tuple[int, int, str, str, int]]]) -> None:
    """Catches a definition of strict scores, overall or by type, that differs from the one that others report."""
    pairs = [_laid_out(layout) for layout in layouts]
    theirs = Evaluator(
        *([_listed(side) for side in sides] for sides in zip(*pairs, strict=True)), tags=list("XYZ"), loader="dict"
    ).evaluate()
    by_type = score_by_type(pairs)
    expected = {name: found["strict"] for name, found in theirs["entities"].items() if name in by_type}
    for ours, other in [
        (score(pairs), theirs["overall"]["strict"]),
        *((by_type[name], expected[name]) for name in by_type),
    ]:
        assert (ours.support, ours.predicted) == (other.possible, other.actual)
        assert math.isclose(ours.precision, other.precision)
        assert math.isclose(ours.recall, other.recall)
        assert math.isclose(ours.f1, other.f1)


def _laid_out(layout: list[tuple[int, int, str, str, int]]) -> RecordSpans:
    gold, predicted, position = set(), set(), 0
    for gap, size, right, guess, shorter in layout:
        start = position + gap
        position = start + size
        gold.add(Span(start, position, right))
        if guess != "-":
            predicted.add(Span(start, max(start + 1, position - shorter), guess))
    return record(gold, predicted)


def _listed(flat: frozenset[Span]) -> list[dict[str, Any]]:
    """Spans as the public scorer wants them: ends inclusive."""
    return [{"label": span.type, "start": span.start, "end": span.end - 1} for span in sorted(flat)]
