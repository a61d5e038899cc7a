"""Drafts: the moves that a copy is expected to make from here on, and how a pass improves them.

The rest of the source is always a good draft. A pass over a draft gives logits at each of its positions: those of the
prefix on which draft and decisions agree are final; behind it they are only a guess, but a good one, from which the
next draft is made. Drafts decide how many passes a copy takes, never its result.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bioner_core.decoding.decision import Logits, decide
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


def accept(draft: Draft, logits: Sequence[Logits], state: TagState, row: DecodingRow) -> AcceptedPrefix:
    """Follow a draft while it agrees with the decisions.

    `logits[i]` are those from which move i is decided; there is one more of them than moves were read.
    """
    margins: list[float] = []
    for index, one in enumerate(logits):
        moves = draft.moves[:index]
        if state.is_finished(len(row.unit_ids)):
            return AcceptedPrefix(moves, tuple(margins), state, None)
        decision, margin = decide(one, state, row)
        # Invariant: behind the first departure nothing is accepted, even where draft and decision agree again: those
        # logits were computed after a move that is not in the copy.
        if index + 1 == len(logits) or decision != draft.moves[index]:
            return AcceptedPrefix(moves, tuple(margins), state, decision)
        margins.append(margin)
        state = state.after(decision)
    raise ValueError("a draft cannot be followed without the logits of its first move")


def redraft(draft: Draft, logits: Sequence[Logits], accepted: AcceptedPrefix, row: DecodingRow) -> Draft:
    """The next draft after a pass: the decision that departed, then what the old logits suggest behind it.

    The first move of the new draft is right, so each pass confirms at least one more move.
    """
    if accepted.next_move is None:
        raise ValueError("a finished copy has no next draft")
    count = len(accepted.moves)
    if accepted.next_move == draft.moves[count]:
        return Draft(draft.moves[count:])
    first, *others = _boundaries(draft.moves[count:], logits[count:])
    moves = [accepted.next_move]
    state = accepted.state.after(accepted.next_move)
    if accepted.next_move != COPY:
        state = _finish_boundary(moves, state, accepted.next_move, first[-1][1], row)
    for boundary in others:
        state = _suggest(moves, state, boundary, row)
    return Draft((*moves, *plain_draft(row, state).moves))


_Boundary = list[tuple[Move, Logits]]
"""What the old draft did before one unit, the copying of the unit last, each with the logits that decide it."""


def _boundaries(moves: Sequence[Move], logits: Sequence[Logits]) -> list[_Boundary]:
    """The rest of an old draft by unit, as far as it has logits; only the first may be cut before its unit."""
    found: list[_Boundary] = [[]]
    for move, one in zip(moves, logits, strict=False):
        found[-1].append((move, one))
        if move == COPY:
            found.append([])
    return found[:-1] or found


def _suggest(moves: list[Move], state: TagState, boundary: _Boundary, row: DecodingRow) -> TagState:
    """Decide one boundary by the old logits; where a decision departs from the old draft, finish it plainly."""
    for old_move, logits in boundary:
        decision, _ = decide(logits, state, row)
        moves.append(decision)
        state = state.after(decision)
        if decision == COPY:
            return state
        if decision != old_move:
            return _finish_boundary(moves, state, decision, boundary[-1][1], row)
    return state


def _finish_boundary(moves: list[Move], state: TagState, last: Move, logits: Logits, row: DecodingRow) -> TagState:
    """After a tag that the old draft did not have: a close may be followed by more tags, an opening by the unit."""
    while last == CLOSE and not state.is_finished(len(row.unit_ids)):
        last, _ = decide(logits, state, row)
        moves.append(last)
        state = state.after(last)
    if last >= FIRST_OPEN:
        moves.append(COPY)
        state = state.after(COPY)
    return state
