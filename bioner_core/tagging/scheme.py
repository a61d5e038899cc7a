"""The two tag schemes: how many copies of a sentence are written, and which types each copy may tag.

`lines` is the paper's scheme (arXiv 2510.08902): one copy per entity type, with that type's tags only. `inline` writes
one copy with the tags of all types. Both are complete; they differ in cost and in what crossing they can hold.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bioner_core.mentions import Span
from bioner_core.tagging.moves import Move, UnitSpan, spans_of
from bioner_core.tagging.render import Alignment, Nesting, align, nest, render_moves
from bioner_core.text.units import Unit


class TagScheme(StrEnum):
    """How the copies of a sentence are laid out."""

    INLINE = "inline"
    LINES = "lines"


@dataclass(frozen=True, slots=True)
class CopyLine:
    """One copy of the sentence: the indices of the types that it may tag, in label set order."""

    type_indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RenderedText:
    """The moves of each copy line of one text, and the gold spans that tags cannot express."""

    moves: tuple[tuple[Move, ...], ...]
    alignment: Alignment
    nestings: tuple[Nesting, ...]


def copy_lines(scheme: TagScheme, type_count: int) -> tuple[CopyLine, ...]:
    """The copies that a scheme writes of each text. An absent type's line is a plain copy without tags."""
    if scheme is TagScheme.INLINE:
        return (CopyLine(tuple(range(type_count))),)
    return tuple(CopyLine((index,)) for index in range(type_count))


def render(
    spans: Iterable[Span], units: Sequence[Unit], *, type_names: Sequence[str], scheme: TagScheme
) -> RenderedText:
    """Moves for every copy line of a text; spans that no tag can express are listed, never silently lost."""
    alignment = align(spans, units, type_names=type_names)
    nestings = tuple(
        nest(span for span in alignment.spans if span.type_index in line.type_indices)
        for line in copy_lines(scheme, len(type_names))
    )
    moves = tuple(tuple(render_moves(nesting.spans, len(units))) for nesting in nestings)
    return RenderedText(moves, alignment, nestings)


def parse(moves: Iterable[Sequence[Move]], unit_count: int) -> list[UnitSpan]:
    """The spans of all copy lines of one text, each once.

    Raises:
        TaggingError: a line is not a legal copy of `unit_count` units.
    """
    return list(dict.fromkeys(span for line in moves for span in spans_of(line, unit_count)))
