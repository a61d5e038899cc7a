"""The automaton of symbolic tagging: which moves are legal where.

A tagged copy of a text is a sequence of moves: copy the next unit, open a tag of some type, close the top tag. The
automaton guarantees that any legal sequence is a copy of the source with balanced tags around non-empty spans.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bioner_core.errors import TaggingError

Move = int
"""`COPY`, `CLOSE`, or `open_move(type_index)`."""

COPY: Move = 0
CLOSE: Move = 1
FIRST_OPEN: Move = 2

MAX_DEPTH = 6
"""Open tags at one time. The deepest nesting in the gold corpora is 4; the cap bounds the length of any output."""


def open_move(type_index: int) -> Move:
    """The move that opens a tag of the type at this index of the label set."""
    return FIRST_OPEN + type_index


def opened_type(move: Move) -> int:
    """The type index of an opening move."""
    return move - FIRST_OPEN


@dataclass(frozen=True, slots=True)
class OpenTag:
    """A tag that is open: its type index, and the unit index where it was opened."""

    type_index: int
    start: int


@dataclass(frozen=True, slots=True)
class TagState:
    """Where a copy stands: units copied so far, and the tags that are open, outermost first."""

    position: int = 0
    stack: tuple[OpenTag, ...] = ()

    def may_copy(self, unit_count: int) -> bool:
        """Whether a unit is left to copy."""
        return self.position < unit_count

    def may_open(self, unit_count: int) -> bool:
        """Whether a tag may open: a unit is left to stand in it, and the depth cap is not reached."""
        return self.position < unit_count and len(self.stack) < MAX_DEPTH

    def may_close(self) -> bool:
        """Whether the top tag may close: there is one, and it holds at least one unit."""
        return bool(self.stack) and self.stack[-1].start < self.position

    def is_finished(self, unit_count: int) -> bool:
        """Whether the source is used up and every tag is closed."""
        return self.position == unit_count and not self.stack

    def legal_moves(self, unit_count: int, type_indices: Iterable[int]) -> list[Move]:
        """The legal moves in ascending order; empty exactly when the copy is finished."""
        moves = [COPY] if self.may_copy(unit_count) else []
        if self.may_close():
            moves.append(CLOSE)
        if self.may_open(unit_count):
            moves.extend(open_move(index) for index in type_indices)
        return moves

    def after(self, move: Move) -> "TagState":
        """The state after a move, which must be legal."""
        if move == COPY:
            return TagState(self.position + 1, self.stack)
        if move == CLOSE:
            return TagState(self.position, self.stack[:-1])
        return TagState(self.position, (*self.stack, OpenTag(opened_type(move), self.position)))


def tokens_of_moves(
    moves: Iterable[Move],
    unit_ids: Sequence[tuple[int, ...]],
    *,
    open_ids: Sequence[int],
    close_id: int,
    position: int = 0,
) -> list[tuple[int, ...]]:
    """The token ids that each of some moves writes, made one after the other from a position in the units on.

    `unit_ids` are the token ids of every unit of the text, `open_ids` those of the opening tag of each type.
    """
    found = []
    for move in moves:
        if move == COPY:
            found.append(unit_ids[position])
            position += 1
        elif move == CLOSE:
            found.append((close_id,))
        else:
            found.append((open_ids[opened_type(move)],))
    return found


@dataclass(frozen=True, slots=True, order=True)
class UnitSpan:
    """An entity in units: `units[start:end]`, end exclusive, never empty."""

    start: int
    end: int
    type_index: int


@dataclass(frozen=True, slots=True)
class TagPair:
    """A tagged span, and the indices of the moves that opened and closed it."""

    span: UnitSpan
    open_index: int
    close_index: int


def tag_pairs(moves: Sequence[Move], unit_count: int) -> list[TagPair]:
    """The pairs of tags in a sequence of moves, in the order in which they open; of equal spans the outer one only.

    Raises:
        TaggingError: the sequence is not a legal copy of `unit_count` units.
    """
    state = TagState()
    open_indices: list[int] = []
    pairs: list[TagPair] = []
    for index, move in enumerate(moves):
        _check(state, move, unit_count)
        if move >= FIRST_OPEN:
            open_indices.append(index)
        elif move == CLOSE:
            tag = state.stack[-1]
            pairs.append(TagPair(UnitSpan(tag.start, state.position, tag.type_index), open_indices.pop(), index))
        state = state.after(move)
    if not state.is_finished(unit_count):
        raise TaggingError(f"copy stops at unit {state.position} of {unit_count} with {len(state.stack)} open tags")
    outer: dict[UnitSpan, TagPair] = {}
    for pair in sorted(pairs, key=lambda one: one.open_index):
        outer.setdefault(pair.span, pair)
    return list(outer.values())


def spans_of(moves: Sequence[Move], unit_count: int) -> list[UnitSpan]:
    """The spans that a sequence of moves tags, in the order in which they open; equal spans once.

    Raises:
        TaggingError: the sequence is not a legal copy of `unit_count` units.
    """
    return [pair.span for pair in tag_pairs(moves, unit_count)]


def _check(state: TagState, move: Move, unit_count: int) -> None:
    if move == COPY:
        legal = state.may_copy(unit_count)
    elif move == CLOSE:
        legal = state.may_close()
    else:
        legal = move >= FIRST_OPEN and state.may_open(unit_count)
    if not legal:
        raise TaggingError(f"move {move} is not legal at unit {state.position} with {len(state.stack)} open tags")
