"""From entity spans to the moves that tag them, and what cannot be tagged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bioner_core.mentions import Span
from bioner_core.tagging.moves import CLOSE, COPY, MAX_DEPTH, Move, UnitSpan, open_move
from bioner_core.text.units import Unit


@dataclass(frozen=True, slots=True)
class Alignment:
    """Spans in units, and those that no tag can mark: an edge lies inside a unit, or the type is of no tag."""

    spans: tuple[UnitSpan, ...]
    unaligned: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Nesting:
    """Spans that bracket properly, and those left out because they cross a longer one or pass the depth cap."""

    spans: tuple[UnitSpan, ...]
    crossing: tuple[UnitSpan, ...]
    too_deep: tuple[UnitSpan, ...]


def align(spans: Iterable[Span], units: Sequence[Unit], *, type_names: Sequence[str]) -> Alignment:
    """Place spans (code points) on unit edges; a span's first unit counts without its attached blank."""
    starts = {unit.core: index for index, unit in enumerate(units)}
    ends = {unit.end: index + 1 for index, unit in enumerate(units)}
    placed: list[UnitSpan] = []
    unaligned: list[Span] = []
    for span in spans:
        if span.start in starts and span.end in ends and span.type in type_names:
            placed.append(UnitSpan(starts[span.start], ends[span.end], type_names.index(span.type)))
        else:
            unaligned.append(span)
    return Alignment(tuple(placed), tuple(unaligned))


def nest(spans: Iterable[UnitSpan]) -> Nesting:
    """Keep the longer of two crossing spans (the earlier when equally long), and drop what lies deeper than the cap."""
    kept: list[UnitSpan] = []
    crossing: list[UnitSpan] = []
    too_deep: list[UnitSpan] = []
    for span in sorted(set(spans), key=lambda one: (one.start - one.end, one.start, one.type_index)):
        if any(_cross(span, other) for other in kept):
            crossing.append(span)
        elif sum(other.start <= span.start and span.end <= other.end for other in kept) >= MAX_DEPTH:
            too_deep.append(span)
        else:
            kept.append(span)
    return Nesting(tuple(sorted(kept, key=_opening_order)), tuple(crossing), tuple(too_deep))


def render_moves(spans: Iterable[UnitSpan], unit_count: int) -> list[Move]:
    """The moves that copy `unit_count` units and tag properly nested spans.

    Of spans that open at one unit the longer opens first; of equal spans the one whose type comes first.
    """
    opening = sorted(spans, key=_opening_order)
    moves: list[Move] = []
    stack: list[UnitSpan] = []
    next_open = 0
    for position in range(unit_count + 1):
        while stack and stack[-1].end == position:
            stack.pop()
            moves.append(CLOSE)
        while next_open < len(opening) and opening[next_open].start == position:
            moves.append(open_move(opening[next_open].type_index))
            stack.append(opening[next_open])
            next_open += 1
        if position < unit_count:
            moves.append(COPY)
    return moves


def text_spans(spans: Iterable[UnitSpan], units: Sequence[Unit], *, type_names: Sequence[str]) -> list[Span]:
    """Spans in code points: from the first unit without its blank to the end of the last."""
    return [Span(units[one.start].core, units[one.end - 1].end, type_names[one.type_index]) for one in spans]


def _opening_order(span: UnitSpan) -> tuple[int, int, int]:
    return span.start, -span.end, span.type_index


def _cross(one: UnitSpan, other: UnitSpan) -> bool:
    first, second = sorted((one, other))
    return first.start < second.start < first.end < second.end
