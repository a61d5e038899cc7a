"""What a gold corpus holds, and what of a file does not fit into it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bioner_core.mentions import Span


@dataclass(frozen=True, slots=True)
class GoldRecord:
    """A text and the entities that a human marked in it; `spans` are offsets into `text`, doubles dropped.

    `concepts` has what the corpus says each span means, as it writes it, where it says something.
    """

    record_id: str
    lang: str
    text: str
    spans: frozenset[Span]
    concepts: Mapping[Span, str] = field(default_factory=dict)


class MisfitKind(StrEnum):
    """Why something of a file is not in the corpus, or is there with a caveat."""

    OFFSETS = "offsets that do not match the text"
    DISCONTINUOUS = "discontinuous"
    NO_TYPE = "no type"
    UNKNOWN_TYPE = "unknown type"
    UNANNOTATED = "not annotated"
    TURNED_DOWN = "turned down by the selector"
    NO_TEXT = "no text"
    NO_SPAN = "not a span"
    DOUBLE = "double"
    CROSSING = "crossing"
    OTHER_ANNOTATION = "annotation of another person"


LOSSES = frozenset(
    {
        MisfitKind.OFFSETS,
        MisfitKind.DISCONTINUOUS,
        MisfitKind.NO_TYPE,
        MisfitKind.UNKNOWN_TYPE,
        MisfitKind.UNANNOTATED,
    }
)
"""Kinds that leave out an entity, or a text, that a human meant to be there. The others say what is passed over."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """One thing that did not fit: `where` names file and place, `what` says what stands there."""

    kind: MisfitKind
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class ImportedRecord:
    """A record and what of its source is not in it; `record` is None where nothing of a text can be used."""

    record: GoldRecord | None
    misfits: tuple[Misfit, ...] = ()

    @property
    def losses(self) -> tuple[Misfit, ...]:
        """What a human meant to be there and is not."""
        return tuple(one for one in self.misfits if one.kind in LOSSES)


def crossing_pairs(spans: frozenset[Span]) -> Iterator[tuple[Span, Span]]:
    """Pairs that share a character though neither holds the other: one copy with brackets can have one of them."""
    ordered = sorted(spans, key=lambda one: (one.start, -one.end))
    open_spans: list[Span] = []
    for span in ordered:
        open_spans = [one for one in open_spans if one.end > span.start]
        yield from ((one, span) for one in open_spans if one.start < span.start and one.end < span.end)
        open_spans.append(span)
