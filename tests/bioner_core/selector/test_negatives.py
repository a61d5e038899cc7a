"""Negatives: almost right, renderable, and never by accident what they were made from and called wrong."""

import random
from collections import Counter
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from bioner_core.selector.samples import corrupt, move_edge, other_type, stray_span, sub_span, super_span
from bioner_core.tagging.moves import UnitSpan, spans_of
from bioner_core.tagging.render import nest, render_moves

UNITS = 12
spans = st.tuples(st.integers(0, UNITS - 1), st.integers(1, 6), st.integers(0, 2)).map(
    lambda one: UnitSpan(one[0], min(UNITS, one[0] + one[1]), one[2])
)
seeds = st.integers(0, 10_000)


@given(spans, seeds)
def test_every_negative_is_a_span_of_the_text(span: UnitSpan, seed: int) -> None:
    """Would catch a negative that is empty or reaches past the text, which no tag could mark."""
    chooser = random.Random(seed)
    for one in (
        move_edge(span, UNITS, chooser),
        sub_span(span, UNITS, chooser),
        super_span(span, UNITS, chooser),
        other_type(span, 3, chooser),
        stray_span(UNITS, 3, chooser),
    ):
        assert 0 <= one.start < one.end <= UNITS
        assert 0 <= one.type_index < 3


@given(spans, seeds)
def test_each_kind_changes_what_its_name_says(span: UnitSpan, seed: int) -> None:
    """Would catch an edge moved by more than two units, or a type change that moves an edge."""
    chooser = random.Random(seed)
    moved = move_edge(span, UNITS, chooser)
    assert abs(moved.start - span.start) + abs(moved.end - span.end) <= 2
    assert moved.type_index == span.type_index
    inner = sub_span(span, UNITS, chooser)
    assert span.start <= inner.start < inner.end <= span.end
    outer = super_span(span, UNITS, chooser)
    assert outer.start <= span.start < span.end <= outer.end
    changed = other_type(span, 3, chooser)
    assert (changed.start, changed.end) == (span.start, span.end)
    assert changed.type_index != span.type_index


def _made(make: Callable[[random.Random], UnitSpan]) -> Counter[UnitSpan]:
    """What comes of many draws, and how often."""
    chooser = random.Random(5)
    return Counter(make(chooser) for _ in range(2000))


def test_an_edge_moves_by_one_or_two_either_way() -> None:
    """Would catch a move that never happens, happens at one edge only, or falls off the text and is no move at all."""
    inside = UnitSpan(4, 7, 1)
    moved = _made(lambda chooser: move_edge(inside, UNITS, chooser))
    starts = {UnitSpan(start, 7, 1) for start in (2, 3, 5, 6)}
    assert set(moved) == starts | {UnitSpan(4, end, 1) for end in (5, 6, 8, 9)}
    assert min(moved.values()) > 150
    whole = UnitSpan(0, UNITS, 1)
    inward = {UnitSpan(1, UNITS, 1), UnitSpan(2, UNITS, 1), UnitSpan(0, UNITS - 1, 1), UnitSpan(0, UNITS - 2, 1)}
    assert set(_made(lambda chooser: move_edge(whole, UNITS, chooser))) == inward | {whole}
    at_the_edge = _made(lambda chooser: move_edge(UnitSpan(1, UNITS - 1, 1), UNITS, chooser))
    assert {UnitSpan(0, UNITS - 1, 1), UnitSpan(1, UNITS, 1)} < set(at_the_edge)


def test_parts_and_wholes_are_of_every_size() -> None:
    """Would catch parts or larger spans of a few shapes only: the selector would learn those and no others."""
    span = UnitSpan(4, 7, 1)
    parts = {UnitSpan(start, end, 1) for start in (4, 5, 6) for end in (5, 6, 7) if start < end}
    assert set(_made(lambda chooser: sub_span(span, UNITS, chooser))) == parts
    wholes = {UnitSpan(start, end, 1) for start in (1, 2, 3, 4) for end in (7, 8, 9, 10)}
    assert set(_made(lambda chooser: super_span(span, UNITS, chooser))) == wholes


def test_other_types_and_stray_spans_are_of_every_kind() -> None:
    """Would catch a type that is never wrong, and stray spans of one length."""
    span = UnitSpan(4, 7, 1)
    assert set(_made(lambda chooser: other_type(span, 3, chooser))) == {UnitSpan(4, 7, 0), UnitSpan(4, 7, 2)}
    assert set(_made(lambda chooser: other_type(UnitSpan(4, 7, 0), 1, chooser))) == {UnitSpan(4, 7, 0)}
    strays = {UnitSpan(start, min(3, start + size), 0) for start in range(3) for size in range(1, 5)}
    assert set(_made(lambda chooser: stray_span(3, 1, chooser))) == strays
    assert max(one.end - one.start for one in _made(lambda chooser: stray_span(UNITS, 1, chooser))) == 4
    assert min(one.end - one.start for one in _made(lambda chooser: stray_span(UNITS, 1, chooser))) == 1


def test_a_text_without_gold_has_a_stray_span_now_and_then() -> None:
    """Would catch strays in every text, or in none."""
    chooser = random.Random(3)
    strays = sum(len(corrupt([], unit_count=UNITS, type_count=3, chooser=chooser)) for _ in range(1000))
    assert 240 < strays < 360


@given(st.sets(spans, max_size=6), seeds)
def test_a_corrupted_text_can_be_rendered(gold: set[UnitSpan], seed: int) -> None:
    """Would catch crossing negatives, which the model could never have tagged itself."""
    made = corrupt(nest(gold).spans, unit_count=UNITS, type_count=3, chooser=random.Random(seed))
    assert set(spans_of(render_moves(made, UNITS), UNITS)) == set(made)


def test_some_spans_stay_right_and_some_do_not() -> None:
    """Would catch a corruption that leaves the selector without positives, or without negatives."""
    gold = [UnitSpan(start, start + 2, 0) for start in range(0, UNITS, 3)]
    made = [
        span
        for seed in range(50)
        for span in corrupt(gold, unit_count=UNITS, type_count=3, chooser=random.Random(seed))
    ]
    right = sum(span in gold for span in made)
    assert 0.3 < right / len(made) < 0.8
