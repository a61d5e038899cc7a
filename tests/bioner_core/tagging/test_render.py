"""From spans to moves and back: nothing is lost, nothing is made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.mentions import Span
from bioner_core.tagging.moves import CLOSE, COPY, MAX_DEPTH, UnitSpan, open_move, spans_of
from bioner_core.tagging.render import align, nest, render_moves, text_spans
from bioner_core.tagging.scheme import CopyLine, TagScheme, copy_lines, parse, render
from bioner_core.text.units import split_units
from tests.bioner_core.tagging.tagging_samples import TYPE_NAMES, any_text, cross, deepest, unit_spans

SCHEMES = list(TagScheme)


@given(any_text, st.data(), st.sampled_from(SCHEMES))
def test_render_then_parse_is_the_identity(text: str, data: st.DataObject, scheme: TagScheme) -> None:
    """Would catch any text or nesting whose entities come back moved, retyped, lost or doubled."""
    units = split_units(text)
    gold = text_spans(data.draw(unit_spans(len(units))), units, type_names=TYPE_NAMES)
    rendered = render(gold, units, type_names=TYPE_NAMES, scheme=scheme)
    assert rendered.alignment.unaligned == ()
    left_out = {one for nesting in rendered.nestings for one in (*nesting.crossing, *nesting.too_deep)}
    parsed = text_spans(parse(rendered.moves, len(units)), units, type_names=TYPE_NAMES)
    assert len(parsed) == len(set(parsed))
    assert set(parsed) | set(text_spans(left_out, units, type_names=TYPE_NAMES)) == set(gold)
    assert not set(parsed) & set(text_spans(left_out, units, type_names=TYPE_NAMES))


@given(st.integers(0, 12).flatmap(lambda count: st.tuples(st.just(count), unit_spans(count))))
def test_spans_of_rendered_moves_are_the_spans(case: tuple[int, list[UnitSpan]]) -> None:
    """Would catch a tag that opens or closes one unit off, or siblings that swap places."""
    count, drawn = case
    spans = nest(drawn).spans
    moves = render_moves(spans, count)
    assert spans_of(moves, count) == list(spans)
    assert moves.count(COPY) == count


@given(st.integers(1, 12).flatmap(lambda count: st.tuples(st.just(count), unit_spans(count))))
def test_nest_keeps_what_can_be_bracketed_and_counts_the_rest(case: tuple[int, list[UnitSpan]]) -> None:
    """Would catch a crossing pair that is kept, a span lost without being listed, or one dropped without a reason."""
    count, drawn = case
    nesting = nest(drawn)
    assert sorted((*nesting.spans, *nesting.crossing, *nesting.too_deep)) == sorted(set(drawn))
    assert not any(cross(one, other) for one in nesting.spans for other in nesting.spans)
    assert deepest(nesting.spans, count) <= MAX_DEPTH
    for span in nesting.crossing:
        longer = [other for other in nesting.spans if cross(span, other)]
        assert any(other.end - other.start >= span.end - span.start for other in longer)
    for span in nesting.too_deep:
        holders = [one for one in nesting.spans if one.start <= span.start and span.end <= one.end]
        assert len(holders) == MAX_DEPTH


def test_of_two_crossing_spans_the_longer_stays() -> None:
    """Would catch the first, or the shorter, of two crossing entities being kept."""
    short, long = UnitSpan(0, 2, 0), UnitSpan(1, 4, 0)
    assert nest([short, long]).spans == (long,)
    assert nest([short, long]).crossing == (short,)


def test_of_two_crossing_spans_of_one_length_the_earlier_stays() -> None:
    """Would catch a choice that depends on the order in which the corpus lists its entities."""
    early, late = UnitSpan(0, 2, 1), UnitSpan(1, 3, 0)
    for order in ([early, late], [late, early]):
        assert nest(order).spans == (early,)


def test_touching_and_nested_spans_do_not_cross() -> None:
    """Would catch neighbours, or spans that share one edge, counted as crossing."""
    spans = [UnitSpan(0, 2, 0), UnitSpan(2, 4, 0), UnitSpan(0, 4, 0), UnitSpan(0, 1, 0), UnitSpan(3, 4, 0)]
    assert set(nest(spans).spans) == set(spans)


def test_the_depth_cap_drops_the_innermost() -> None:
    """Would catch a cap that is one off, or that drops an outer span."""
    spans = [UnitSpan(0, end, 0) for end in range(1, MAX_DEPTH + 2)]
    nesting = nest(spans)
    assert nesting.too_deep == (UnitSpan(0, 1, 0),)
    assert len(nesting.spans) == MAX_DEPTH
    spans_of(render_moves(nesting.spans, MAX_DEPTH + 1), MAX_DEPTH + 1)


def test_moves_of_one_nesting_are_in_the_frozen_order() -> None:
    """Would catch a silent change of the order of moves, which a trained model has learned."""
    spans = [UnitSpan(0, 1, 1), UnitSpan(0, 2, 0), UnitSpan(0, 2, 2), UnitSpan(2, 3, 1)]
    assert render_moves(spans, 3) == [
        *(open_move(0), open_move(2), open_move(1), COPY, CLOSE),
        *(COPY, CLOSE, CLOSE, open_move(1), COPY, CLOSE),
    ]


def test_an_entity_with_an_edge_inside_a_unit_is_listed() -> None:
    """Would catch an entity lost, or moved to the nearest unit edge, because its edge lies inside a word."""
    text = "anti CD28s"
    inside = [Span(0, 3, "protein"), Span(6, 9, "protein"), Span(4, 8, "protein")]
    whole = Span(5, 9, "protein")
    rendered = render([*inside, whole], split_units(text), type_names=TYPE_NAMES, scheme=TagScheme.INLINE)
    assert rendered.alignment.unaligned == tuple(inside)
    assert rendered.alignment.spans == (UnitSpan(1, 4, 0),)


def test_an_entity_of_an_unknown_type_is_listed() -> None:
    """Would catch an entity of a type outside the label set vanishing without a count."""
    stranger = Span(0, 1, "planet")
    assert align([stranger], split_units("a"), type_names=TYPE_NAMES).unaligned == (stranger,)


def test_lines_hold_one_type_each_and_inline_holds_all() -> None:
    """Would catch a type that no line, or two lines, may tag."""
    assert copy_lines(TagScheme.INLINE, 3) == (CopyLine((0, 1, 2)),)
    assert copy_lines(TagScheme.LINES, 3) == (CopyLine((0,)), CopyLine((1,)), CopyLine((2,)))


def test_lines_hold_entities_of_two_types_that_cross() -> None:
    """Would catch crossing counted across lines, where each type has a copy of its own."""
    units = split_units("one two three")
    gold = [Span(0, 7, "protein"), Span(4, 13, "DNA")]
    lines = render(gold, units, type_names=TYPE_NAMES, scheme=TagScheme.LINES)
    inline = render(gold, units, type_names=TYPE_NAMES, scheme=TagScheme.INLINE)
    assert not any(nesting.crossing for nesting in lines.nestings)
    assert sum(len(nesting.crossing) for nesting in inline.nestings) == 1
    assert len(parse(lines.moves, len(units))) == 2


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_span_that_two_lines_tag_is_found_once(scheme: TagScheme) -> None:
    """Would catch a doubled entity when lines are put together."""
    line = render_moves([UnitSpan(0, 1, 0)], 1)
    assert parse([line, line], 1) == [UnitSpan(0, 1, 0)]
    assert len(copy_lines(scheme, 1)) == 1


def test_a_span_does_not_begin_with_the_blank_before_it() -> None:
    """Would catch a mention whose text begins with the blank that is attached to its first unit."""
    units = split_units("a bc  d")
    assert text_spans([UnitSpan(1, 2, 0), UnitSpan(0, 2, 1)], units, type_names=TYPE_NAMES) == [
        Span(2, 4, "protein"),
        Span(0, 4, "DNA"),
    ]
    assert text_spans([UnitSpan(2, 4, 0)], units, type_names=TYPE_NAMES) == [Span(4, 7, "protein")]
