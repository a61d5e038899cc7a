"""Drafts: the moves that a copy is expected to make from here on, and how a pass improves them.

The rest of the source is always a good draft. A pass over a draft gives logits at each of its positions: those of the
prefix on which draft and decisions agree are final; behind it they are only a guess, but a good one, from which the
next draft is made. Drafts decide how many passes a copy takes, never its result.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bioner_core.decoding.decision import ChosenMoves
from bioner_core.decoding.rows import DecodingRow
from bioner_core.tagging.moves import CLOSE, COPY, FIRST_OPEN, Move, TagState


@dataclass(frozen=True, slots=True)
class Draft:
    """The moves that are expected next, up to the end of the copy."""

    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class AcceptedPrefix:
    """The part of a draft that its own decisions confirm.

    `moves` and `margins` are final; `next_move` is the decision after them, which departs from the draft or comes
    after the last move that was read, or None when the copy is done.
    """

    moves: tuple[Move, ...]
    margins: tuple[float, ...]
    state: TagState
    next_move: Move | None


def plain_draft(row: DecodingRow, state: TagState) -> Draft:
    """Copy what is left of the source, then close what is open."""
    left = len(row.unit_ids) - state.position
    return Draft((COPY,) * left + (CLOSE,) * len(state.stack))


def accept(draft: Draft, chosen: ChosenMoves, *, state: TagState, row: DecodingRow) -> AcceptedPrefix:
    """Follow a draft while it agrees with the decisions.

    Those at position i are what move i is decided by; there is one position more than moves were read.
    """
    if not len(chosen):
        raise ValueError("a draft cannot be followed without the logits of its first move")
    margins: list[float] = []
    units, last, index = len(row.unit_ids), len(chosen) - 1, 0
    while not state.is_finished(units):
        decision, margin = chosen.decide(index, state)
        # Invariant: behind the first departure nothing is accepted, even where draft and decision agree again: those
        # logits were computed after a move that is not in the copy.
        if index == last or decision != draft.moves[index]:
            return AcceptedPrefix(draft.moves[:index], tuple(margins), state, decision)
        margins.append(margin)
        state = state.after(decision)
        index += 1
        if decision == COPY:
            further = chosen.copies(draft.moves, state, start=index, stop=last)
            margins += further
            state = TagState(state.position + len(further), state.stack)
            index += len(further)
    return AcceptedPrefix(draft.moves[:index], tuple(margins), state, None)


def redraft(draft: Draft, chosen: ChosenMoves, *, accepted: AcceptedPrefix, row: DecodingRow) -> Draft:
    """The next draft after a pass: the decision that departed, then what the old logits suggest behind it.

    The first move of the new draft is right, so each pass but the first confirms at least one more move.
    """
    if accepted.next_move is None:
        raise ValueError("a finished copy has no next draft")
    count = len(accepted.moves)
    if accepted.next_move == draft.moves[count]:
        return Draft(draft.moves[count:])
    stop = min(len(draft.moves), len(chosen))
    moves, state = [accepted.next_move], accepted.state.after(accepted.next_move)
    end = _unit_after(draft.moves, count, stop)
    if accepted.next_move != COPY:
        # Only this stretch before a unit may be cut before its unit.
        state = _finish_boundary(moves, state, accepted.next_move, chosen, stop - 1 if end is None else end, row)
    while end is not None:
        copies = chosen.copies(draft.moves, state, start=end + 1, stop=stop) if moves[-1] == COPY else ()
        moves += [COPY] * len(copies)
        state = TagState(state.position + len(copies), state.stack)
        start = end + 1 + len(copies)
        end = _unit_after(draft.moves, start, stop)
        if end is not None:
            state = _suggest(moves, state, draft.moves[start : end + 1], chosen, start, row)
    return Draft((*moves, *plain_draft(row, state).moves))


def _unit_after(moves: Sequence[Move], start: int, stop: int) -> int | None:
    """The place of the first copy from `start` on; None where there is none before `stop`."""
    return next((place for place in range(start, stop) if moves[place] == COPY), None)


def _suggest(
    moves: list[Move], state: TagState, old: Sequence[Move], chosen: ChosenMoves, start: int, row: DecodingRow
) -> TagState:
    """Decide what the old draft did before one unit, the copy of the unit last, by the old logits.

    Where a decision departs from the old draft, it is finished plainly.
    """
    for index, old_move in enumerate(old, start=start):
        decision, _ = chosen.decide(index, state)
        moves.append(decision)
        state = state.after(decision)
        if decision == COPY:
            return state
        if decision != old_move:
            return _finish_boundary(moves, state, decision, chosen, start + len(old) - 1, row)
    return state


def _finish_boundary(
    moves: list[Move], state: TagState, last: Move, chosen: ChosenMoves, index: int, row: DecodingRow
) -> TagState:
    """After a tag that the old draft did not have: a close may be followed by more tags, an opening by the unit."""
    while last == CLOSE and not state.is_finished(len(row.unit_ids)):
        last, _ = chosen.decide(index, state)
        moves.append(last)
        state = state.after(last)
    if last >= FIRST_OPEN:
        moves.append(COPY)
        state = state.after(COPY)
    return state
