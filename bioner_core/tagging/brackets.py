r"""The rendering for people: nested square brackets around entities, as in the paper.

    Activation of the [[CD28] surface receptor]                    (lines, the copy of one type)
    Activation of the [protein:[protein:CD28] surface receptor]    (inline)

Literal brackets and backslashes of the source are escaped with a backslash, so any text comes back whole. The model
never sees these characters as tags: its tags are token ids of their own.
"""

from collections.abc import Sequence

from bioner_core.errors import TaggingError
from bioner_core.tagging.moves import CLOSE, COPY, FIRST_OPEN, Move, open_move, opened_type, tag_pairs
from bioner_core.text.units import Unit, split_units

_ESCAPED = "[]\\"


def to_brackets(text: str, moves: Sequence[Move], *, type_names: Sequence[str], with_types: bool = True) -> str:
    """Write a tagged copy with brackets; `with_types` puts the type after each opening bracket (`inline`)."""
    units = split_units(text)
    written: list[str] = []
    pending: list[str] = []
    position = 0
    for move in moves:
        if move >= FIRST_OPEN:
            pending.append(f"[{type_names[opened_type(move)]}:" if with_types else "[")
        elif move == CLOSE:
            written.append("]")
        else:
            written.append(_unit_with_tags(text, units[position], pending))
            pending.clear()
            position += 1
    return "".join(written)


def from_brackets(tagged: str, *, type_names: Sequence[str], line_type: str | None = None) -> tuple[str, list[Move]]:
    """Read a bracketed copy back: the source text, and the moves.

    `line_type` is the type of every bracket in the `lines` scheme; None means that each bracket names its own.

    Raises:
        TaggingError: an unbalanced, empty or unknown tag, tags too deep, a dangling escape, or a tag inside a unit.
    """
    text, opens, closes = _scan(tagged, type_names, line_type)
    units = split_units(text)
    moves = _moves_at(units, opens, closes)
    tag_pairs(moves, len(units))
    return text, moves


def _unit_with_tags(text: str, unit: Unit, tags: Sequence[str]) -> str:
    return text[unit.start : unit.core] + "".join(tags) + _escape(text[unit.core : unit.end])


def _escape(text: str) -> str:
    return "".join(f"\\{char}" if char in _ESCAPED else char for char in text)


def _scan(
    tagged: str, type_names: Sequence[str], line_type: str | None
) -> tuple[str, dict[int, list[int]], dict[int, int]]:
    """The unescaped text, type indices of the tags that open at each offset, and how many close at each."""
    source: list[str] = []
    opens: dict[int, list[int]] = {}
    closes: dict[int, int] = {}
    index = 0
    while index < len(tagged):
        char = tagged[index]
        if char == "[":
            name, index = _opening(tagged, index + 1, line_type)
            if name not in type_names:
                raise TaggingError(f"unknown type {name!r} at {index}; known: {list(type_names)}")
            opens.setdefault(len(source), []).append(type_names.index(name))
        elif char == "]":
            if len(source) in opens:
                raise TaggingError(f"the bracket that closes at {index} holds no text")
            closes[len(source)] = closes.get(len(source), 0) + 1
            index += 1
        else:
            index += char == "\\"
            if index >= len(tagged):
                raise TaggingError("the text ends in a lone backslash")
            source.append(tagged[index])
            index += 1
    return "".join(source), opens, closes


def _opening(tagged: str, index: int, line_type: str | None) -> tuple[str, int]:
    """The type of the bracket before `index`, and the index after its tag."""
    if line_type is not None:
        return line_type, index
    colon = tagged.find(":", index)
    if colon < 0:
        raise TaggingError(f"the bracket at {index - 1} names no type")
    return tagged[index:colon], colon + 1


def _moves_at(units: Sequence[Unit], opens: dict[int, list[int]], closes: dict[int, int]) -> list[Move]:
    moves: list[Move] = []
    for unit in units:
        moves.extend([CLOSE] * closes.pop(unit.start, 0))
        moves.extend(open_move(one) for one in opens.pop(unit.core, []))
        moves.append(COPY)
    moves.extend([CLOSE] * closes.pop(units[-1].end if units else 0, 0))
    if opens or closes:
        raise TaggingError(f"tags inside a unit at offsets {sorted({*opens, *closes})}")
    return moves
