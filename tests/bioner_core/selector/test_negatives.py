"""Negatives: almost right, renderable, and never by accident what they were made from and called wrong."""

import random

from hypothesis import given
from hypothesis import strategies as st

from bioner_core.selector.negatives import corrupt, move_edge, other_type, stray_span, sub_span, super_span
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
