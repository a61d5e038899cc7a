"""The automaton: what is legal ends in a copy, what is not legal is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.errors import TaggingError
from bioner_core.tagging.moves import (
    CLOSE,
    COPY,
    MAX_DEPTH,
    Move,
    TagState,
    UnitSpan,
    open_move,
    opened_type,
    spans_of,
    tag_pairs,
)

OPEN = open_move(0)


@given(st.integers(0, 8), st.lists(st.integers(0, 2), unique=True).map(sorted), st.randoms(use_true_random=False))
def test_every_walk_over_legal_moves_ends_in_a_legal_copy(count: int, types: list[int], random: object) -> None:
    """Would catch a dead end, an endless walk, or a legal move that the parser refuses."""
    state, moves = TagState(), []
    while not state.is_finished(count):
        legal = state.legal_moves(count, types)
        assert legal, "a dead end"
        assert legal == sorted(legal), "ties are broken by this order"
        moves.append(random.choice(legal))  # type: ignore[attr-defined]
        state = state.after(moves[-1])
        assert len(moves) <= count + 2 * MAX_DEPTH * max(count, 1), "the walk does not end"
    assert state.legal_moves(count, types) == []
    assert moves.count(COPY) == count
    assert all(0 <= span.start < span.end <= count for span in spans_of(moves, count))


@given(st.integers(0, 4), st.lists(st.integers(-2, 4), max_size=10))
def test_moves_are_parsed_exactly_when_each_is_legal(count: int, moves: list[Move]) -> None:
    """Would catch an illegal move that slips through the parser, or any error other than TaggingError."""
    state, is_legal = TagState(), True
    for move in moves:
        if move not in state.legal_moves(count, range(3)):
            is_legal = False
            break
        state = state.after(move)
    if is_legal and state.is_finished(count):
        spans_of(moves, count)
    else:
        with pytest.raises(TaggingError):
            spans_of(moves, count)


@pytest.mark.parametrize(
    "moves",
    [
        pytest.param([COPY], id="stops early"),
        pytest.param([COPY, COPY, COPY], id="copies what is not there"),
        pytest.param([CLOSE, COPY, COPY], id="closes nothing"),
        pytest.param([OPEN, CLOSE, COPY, COPY], id="empty span"),
        pytest.param([OPEN, COPY, COPY], id="never closed"),
        pytest.param([COPY, COPY, OPEN], id="opens behind the text"),
        pytest.param([COPY, COPY, OPEN, CLOSE], id="empty span behind the text"),
        pytest.param([OPEN] * (MAX_DEPTH + 1) + [COPY, COPY] + [CLOSE] * (MAX_DEPTH + 1), id="too deep"),
        pytest.param([-1, COPY, CLOSE, COPY], id="no such move"),
        pytest.param([OPEN, COPY, CLOSE, CLOSE, COPY], id="closed twice"),
    ],
)
def test_an_illegal_copy_is_refused(moves: list[Move]) -> None:
    """Would catch a defect of a decoder that gets as far as the output."""
    with pytest.raises(TaggingError):
        spans_of(moves, 2)


def test_the_message_says_where_a_copy_went_wrong() -> None:
    """Would catch an error that cannot be traced to its place."""
    with pytest.raises(TaggingError, match=r"move 1 is not legal at unit 1 with 0 open tags"):
        spans_of([COPY, CLOSE, COPY], 2)
    with pytest.raises(TaggingError, match=r"copy stops at unit 1 of 2 with 1 open tags"):
        spans_of([OPEN, COPY], 2)


def test_legal_moves_of_each_kind_of_state() -> None:
    """Would catch a move offered too early, too late, or in another order: the order breaks ties."""
    start = TagState()
    assert start.legal_moves(2, (0, 2)) == [COPY, open_move(0), open_move(2)]
    opened = start.after(open_move(2))
    assert opened.legal_moves(2, (0, 2)) == [COPY, open_move(0), open_move(2)]
    inside = opened.after(COPY)
    assert inside.legal_moves(2, (0, 2)) == [COPY, CLOSE, open_move(0), open_move(2)]
    assert inside.after(COPY).legal_moves(2, (0, 2)) == [CLOSE]
    assert inside.after(COPY).after(CLOSE).legal_moves(2, (0, 2)) == []


def test_at_the_depth_cap_no_tag_opens() -> None:
    """Would catch an output without bound."""
    state = TagState()
    for _ in range(MAX_DEPTH):
        assert state.may_open(1)
        state = state.after(OPEN)
    assert state.legal_moves(1, (0,)) == [COPY]
    assert TagState().after(COPY).may_open(2)


def test_equal_spans_count_once_by_the_outer_tag() -> None:
    """Would catch an entity that is written twice, or scored by the inner of two equal tags."""
    moves = [OPEN, OPEN, COPY, CLOSE, CLOSE]
    assert spans_of(moves, 1) == [UnitSpan(0, 1, 0)]
    (pair,) = tag_pairs(moves, 1)
    assert (pair.open_index, pair.close_index) == (0, 4)


@st.composite
def copies(draw: st.DrawFn) -> tuple[int, list[Move]]:
    """How many units a text has, and the moves of a legal copy of it; equal spans are likely."""
    count, state, moves = draw(st.integers(1, 3)), TagState(), list[Move]()
    while not state.is_finished(count):
        moves.append(draw(st.sampled_from(state.legal_moves(count, range(2)))))
        state = state.after(moves[-1])
    return count, moves


@given(copies())
def test_pairs_open_one_behind_the_other_and_each_span_is_the_outermost(copy: tuple[int, list[Move]]) -> None:
    """Would catch equal spans that put the pair between them before the outer one, or of which the inner one stays."""
    count, moves = copy
    found = tag_pairs(moves, count)
    assert [one.open_index for one in found] == sorted(one.open_index for one in found)
    assert [one.span for one in found] == spans_of(moves, count)
    first: dict[UnitSpan, int] = {}
    stack: list[int] = []
    for index, move in enumerate(moves):
        if move == CLOSE:
            begin = stack.pop()
            start, end = moves[:begin].count(COPY), moves[:index].count(COPY)
            span = UnitSpan(start, end, opened_type(moves[begin]))
            first[span] = min(begin, first.get(span, begin))
        elif move != COPY:
            stack.append(index)
    assert {one.span: one.open_index for one in found} == first
    assert all(moves[one.close_index] == CLOSE for one in found)


def test_an_equal_span_leaves_the_order_of_the_others() -> None:
    """Would catch the inner of two equal spans that brings the pair between them before the outer one."""
    moves = [open_move(0), open_move(1), open_move(0), COPY, CLOSE, CLOSE, CLOSE]
    assert [(one.open_index, one.close_index) for one in tag_pairs(moves, 1)] == [(0, 6), (1, 5)]


def test_pairs_come_in_the_order_in_which_they_open() -> None:
    """Would catch pairs in the order of closing, or indices that point beside their moves."""
    moves = [open_move(1), COPY, open_move(0), COPY, CLOSE, CLOSE, open_move(2), COPY, CLOSE]
    found = [(pair.span, pair.open_index, pair.close_index) for pair in tag_pairs(moves, 3)]
    assert found == [(UnitSpan(0, 2, 1), 0, 5), (UnitSpan(1, 2, 0), 2, 4), (UnitSpan(2, 3, 2), 6, 8)]


@given(st.integers(0, 100))
def test_opening_moves_name_their_type(index: int) -> None:
    """Would catch a type's opening taken for a copy or a close, or for its neighbour."""
    assert opened_type(open_move(index)) == index
    assert open_move(index) not in (COPY, CLOSE)
