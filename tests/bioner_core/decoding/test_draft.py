"""Drafts: only what the decisions confirm is accepted, and each pass gets on by at least one move."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.decoding.decision import ChosenMoves, Logits, decide, move_tokens
from bioner_core.decoding.draft import Draft, accept, plain_draft, redraft
from bioner_core.decoding.rows import DecodingRow, LabelSetTokens
from bioner_core.tagging.moves import (
    CLOSE,
    COPY,
    FIRST_OPEN,
    MAX_DEPTH,
    Move,
    OpenTag,
    TagState,
    open_move,
    spans_of,
)

OPEN, OTHER = open_move(0), open_move(1)
TYPES = 2


def row_of_units(count: int, types: tuple[int, ...] = (0, 1)) -> DecodingRow:
    """A row of so many units of one token each."""
    return DecodingRow(tuple((index,) for index in range(count)), (99,), types)


def favour(*moves: Move) -> Logits:
    """Logits that prefer these moves, the first most."""
    found = np.zeros(FIRST_OPEN + TYPES, dtype=np.float32)
    for rank, move in enumerate(moves):
        found[move] = 9.0 - rank
    return found


def greedy(row: DecodingRow, oracle: "Oracle") -> list[Move]:
    """The reference: decide one move after the other."""
    state = TagState()
    moves: list[Move] = []
    while not state.is_finished(len(row.unit_ids)):
        moves.append(decide(oracle.logits(moves), state, row=row)[0])
        state = state.after(moves[-1])
    return moves


class Oracle:
    """Stands in for a model: logits that depend on all moves so far, at random but always the same."""

    def __init__(self, seed: int, copy_bias: float) -> None:
        self.seed = seed
        self.copy_bias = copy_bias

    def logits(self, history: list[Move]) -> Logits:
        """Logits after these moves."""
        found = np.random.default_rng([self.seed, *history]).normal(size=FIRST_OPEN + TYPES).astype(np.float32)
        found[COPY] += self.copy_bias
        return found


@given(st.integers(0, 9), st.integers(0, 2**20), st.sampled_from([-1.0, 0.0, 1.0, 2.0]), st.integers(1, 12))
def test_drafting_ends_at_the_greedy_copy(units: int, seed: int, copy_bias: float, window: int) -> None:
    """Would catch a draft accepted past its first wrong decision, a pass without progress, or an illegal draft."""
    row, oracle = row_of_units(units), Oracle(seed, copy_bias)
    moves: list[Move] = []
    state = TagState()
    draft = plain_draft(row, state)
    while True:
        spans_of([*moves, *draft.moves], units)
        logits = [oracle.logits([*moves, *draft.moves[:index]]) for index in range(min(window, len(draft.moves)) + 1)]
        chosen = ChosenMoves(logits, row)
        accepted = accept(draft, chosen, state=state, row=row)
        assert len(accepted.margins) == len(accepted.moves)
        moves.extend(accepted.moves)
        if accepted.next_move is None:
            break
        right = accepted.next_move
        draft, state = redraft(draft, chosen, accepted=accepted, row=row), accepted.state
        assert draft.moves[0] == right, "the first move of a new draft is right, so the next pass confirms it"
        first = decide(oracle.logits(moves), state, row=row)[0]
        assert first == right
    assert moves == greedy(row, oracle)


def test_a_confirmed_draft_is_finished() -> None:
    """Would catch one pass too many for a sentence without entities."""
    row = row_of_units(2)
    chosen = ChosenMoves([favour(COPY)] * 3, row)
    accepted = accept(plain_draft(row, TagState()), chosen, state=TagState(), row=row)
    assert (accepted.moves, accepted.next_move) == ((COPY, COPY), None)
    assert accepted.state.is_finished(2)
    with pytest.raises(ValueError, match="no next draft"):
        redraft(Draft(accepted.moves), chosen, accepted=accepted, row=row)


def test_a_draft_is_accepted_up_to_its_first_departure() -> None:
    """Would catch moves behind a wrong one being kept because they agree again."""
    row = row_of_units(3)
    logits = [favour(COPY), favour(OPEN), favour(COPY)]
    accepted = accept(plain_draft(row, TagState()), ChosenMoves(logits, row), state=TagState(), row=row)
    assert (accepted.moves, accepted.next_move) == ((COPY,), OPEN)
    assert accepted.state == TagState(1)
    assert accepted.margins == (9.0,)


def test_a_draft_that_was_read_in_part_goes_on_where_reading_stopped() -> None:
    """Would catch a window whose last decision is lost, or a copy called done because the window is used up."""
    row = row_of_units(4)
    draft = plain_draft(row, TagState())
    chosen = ChosenMoves([favour(COPY)] * 3, row)
    accepted = accept(draft, chosen, state=TagState(), row=row)
    assert (accepted.moves, accepted.next_move) == ((COPY, COPY), COPY)
    assert redraft(draft, chosen, accepted=accepted, row=row).moves == (COPY, COPY)
    chosen = ChosenMoves([favour(COPY), favour(COPY), favour(OPEN)], row)
    departed = accept(draft, chosen, state=TagState(), row=row)
    assert (departed.moves, departed.next_move) == ((COPY, COPY), OPEN)
    again = redraft(draft, chosen, accepted=departed, row=row)
    assert again.moves == (OPEN, COPY, COPY, CLOSE)


def test_the_old_logits_suggest_the_tags_behind_a_departure() -> None:
    """Would catch drafts that tag nothing ahead: each tag would cost a pass of its own."""
    row = row_of_units(5)
    logits = [favour(OPEN), favour(COPY), favour(CLOSE, COPY), favour(OTHER), favour(COPY)]
    draft = plain_draft(row, TagState())
    chosen = ChosenMoves(logits, row)
    accepted = accept(draft, chosen, state=TagState(), row=row)
    again = redraft(draft, chosen, accepted=accepted, row=row)
    assert again.moves == (OPEN, COPY, COPY, CLOSE, COPY, OTHER, COPY, COPY, CLOSE)


def test_after_a_close_the_same_logits_may_close_again() -> None:
    """Would catch a nested entity whose outer end costs a second pass."""
    row = row_of_units(3)
    draft = Draft((OPEN, OTHER, COPY, COPY, COPY, CLOSE, CLOSE))
    logits = [favour(OPEN), favour(OTHER), favour(COPY), favour(CLOSE, COPY), *[favour(COPY)] * 3]
    chosen = ChosenMoves(logits, row)
    accepted = accept(draft, chosen, state=TagState(), row=row)
    assert accepted.next_move == CLOSE
    assert redraft(draft, chosen, accepted=accepted, row=row).moves == (CLOSE, CLOSE, COPY, COPY)


def test_after_a_close_the_logits_nearest_to_the_unit_decide() -> None:
    """Would catch a new draft that follows the logits before a tag where those behind it are at hand."""
    row = row_of_units(3)
    draft = Draft((OPEN, COPY, OTHER, COPY, CLOSE, CLOSE, COPY))
    logits = [favour(OPEN), favour(COPY), favour(CLOSE, OTHER), favour(OPEN), *[favour(COPY)] * 3]
    chosen = ChosenMoves(logits, row)
    accepted = accept(draft, chosen, state=TagState(), row=row)
    assert redraft(draft, chosen, accepted=accepted, row=row).moves == (CLOSE, OPEN, COPY, COPY, CLOSE)


def test_after_a_suggested_close_the_logits_nearest_to_the_unit_decide() -> None:
    """Would catch the same at a unit behind the departure."""
    row = row_of_units(3)
    draft = Draft((COPY, OTHER, COPY, CLOSE, COPY))
    logits = [favour(OPEN), favour(CLOSE, OTHER), favour(OPEN), favour(COPY), favour(COPY)]
    chosen = ChosenMoves(logits, row)
    accepted = accept(draft, chosen, state=TagState(), row=row)
    assert redraft(draft, chosen, accepted=accepted, row=row).moves == (OPEN, COPY, CLOSE, OPEN, COPY, COPY, CLOSE)


def test_a_tag_of_the_old_draft_that_is_no_longer_wanted_is_left_out() -> None:
    """Would catch tags that stay in the draft only because they were once there."""
    row = row_of_units(3)
    draft = Draft((COPY, OPEN, COPY, CLOSE, OTHER, COPY, CLOSE))
    logits = [favour(OTHER), favour(COPY), favour(COPY), favour(COPY), favour(COPY), favour(COPY), favour(CLOSE)]
    chosen = ChosenMoves(logits, row)
    accepted = accept(draft, chosen, state=TagState(), row=row)
    assert redraft(draft, chosen, accepted=accepted, row=row).moves == (OTHER, COPY, COPY, COPY, CLOSE)


def test_a_departure_that_copies_goes_on_with_the_next_unit() -> None:
    """Would catch the tags of a unit drafted again after the decision to copy it."""
    row = row_of_units(2)
    draft = Draft((OPEN, OTHER, COPY, CLOSE, CLOSE, COPY))
    logits = [favour(COPY), favour(OTHER), favour(COPY), favour(COPY), favour(COPY), favour(COPY)]
    chosen = ChosenMoves(logits, row)
    accepted = accept(draft, chosen, state=TagState(), row=row)
    assert accepted.next_move == COPY
    assert redraft(draft, chosen, accepted=accepted, row=row).moves == (COPY, COPY)


def test_ties_go_to_the_move_that_comes_first() -> None:
    """Would catch an answer that depends on how a library breaks ties."""
    row = row_of_units(2)
    opened = TagState().after(OPEN).after(COPY)
    assert decide(favour(), opened, row=row) == (COPY, 0.0)
    tie = favour(OTHER)
    tie[OPEN] = tie[OTHER]
    assert decide(tie, TagState(), row=row) == (OPEN, 0.0)
    assert decide(tie, TagState(), row=row_of_units(2, (1, 0))) == (OTHER, 0.0)


def test_an_illegal_move_never_wins_and_is_no_rival() -> None:
    """Would catch a close without an open tag, another line's type, or a margin against what could not be chosen."""
    row = row_of_units(2, types=(1,))
    assert decide(favour(CLOSE, OPEN, COPY), TagState(), row=row) == (COPY, 7.0)
    assert decide(favour(CLOSE, OTHER, COPY), TagState(), row=row) == (OTHER, 1.0)


def test_a_forced_move_has_an_infinite_margin() -> None:
    """Would catch a forced move that counts as a sure one, or one decided against its logits."""
    row = row_of_units(1)
    at_end = TagState().after(OPEN).after(COPY)
    assert decide(favour(COPY), at_end, row=row) == (CLOSE, float("inf"))
    deep = TagState()
    for _ in range(MAX_DEPTH):
        deep = deep.after(OPEN)
    assert decide(favour(OPEN), deep, row=row) == (COPY, float("inf"))


def test_moves_write_their_tokens() -> None:
    """Would catch a tag written with another type's token, or the wrong unit copied."""
    row = DecodingRow(((1, 2), (3,)), (99,), (0, 1))
    label_set = LabelSetTokens("x", (7,), (4, 5), (50, 51), 60)
    assert move_tokens(COPY, TagState(0), row=row, label_set=label_set) == (1, 2)
    assert move_tokens(COPY, TagState(1), row=row, label_set=label_set) == (3,)
    assert move_tokens(CLOSE, TagState(1), row=row, label_set=label_set) == (60,)
    assert [move_tokens(one, TagState(), row=row, label_set=label_set) for one in (OPEN, OTHER)] == [(50,), (51,)]
    assert row.source_ids == [1, 2, 3]


@given(st.integers(0, 2**20), st.sampled_from([(0, 1), (1,), ()]), st.booleans())
def test_moves_chosen_for_all_positions_are_those_decided_one_by_one(
    seed: int, types: tuple[int, ...], rounded: bool
) -> None:
    """Would catch another winner among equals, another rival, or a tag that may not stand there."""
    row, source = row_of_units(4, types), np.random.default_rng(seed)
    logits = source.normal(size=(3, FIRST_OPEN + TYPES)).astype(np.float32)
    chosen = ChosenMoves(logits.round() if rounded else logits, row)
    deep = tuple(OpenTag(0, 0) for _ in range(MAX_DEPTH))
    for state in (TagState(), TagState(1, (OpenTag(0, 1),)), TagState(2, (OpenTag(0, 1),)), TagState(4, deep[:1])):
        for index in range(len(chosen)):
            assert chosen.decide(index, state) == decide(chosen.logits[index], state, row=row)
    assert chosen.decide(0, TagState(1, deep)) == decide(chosen.logits[0], TagState(1, deep), row=row)
