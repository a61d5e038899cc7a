"""What went wrong, span by span: each gold span that was not found and each wrong prediction, in one bucket.

A wrong prediction and a gold span that was not found explain each other at most once, the nearest pairs first, so that
`right + wrong type + both boundary buckets + missed` is the number of gold spans, and with spurious in the place of
missed that of the predictions. A wrong span that overlaps only gold of other types at other edges is spurious.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bioner_core.evaluation.scoring import RecordSpans, UnitRuler
from bioner_core.mentions import Span


class MistakeKind(StrEnum):
    """The buckets; a report shows them in this order."""

    BOUNDARY_ONE_UNIT = "boundary_one_unit"
    """The type is right and one edge is off by one tagging unit or by less."""
    OTHER_BOUNDARY = "other_boundary"
    """The type is right, the spans share a character, and the edges are further off."""
    WRONG_TYPE = "wrong_type"
    """Both edges are right."""
    MISSED = "missed"
    """Gold, and no prediction explains it."""
    SPURIOUS = "spurious"
    """Predicted, and no gold span explains it."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake; `gold` is None when spurious, `predicted` is None when missed."""

    kind: MistakeKind
    gold: Span | None
    predicted: Span | None

    @property
    def spans(self) -> tuple[Span, ...]:
        """The spans that it is about, one or two."""
        return tuple(span for span in (self.gold, self.predicted) if span is not None)


def mistakes(record: RecordSpans, ruler: UnitRuler) -> list[Mistake]:
    """All mistakes of one record, by their place in the text; none when the sides are equal."""
    missed, spurious = set(record.gold - record.predicted), set(record.predicted - record.gold)
    found: list[Mistake] = []

    def pair(kind: MistakeKind, gold: Span, predicted: Span) -> None:
        found.append(Mistake(kind, gold, predicted))
        missed.remove(gold)
        spurious.remove(predicted)

    for gold, predicted in _same_edges(missed, spurious):
        pair(MistakeKind.WRONG_TYPE, gold, predicted)
    for distance, gold, predicted in _overlaps(missed, spurious, ruler):
        if gold in missed and predicted in spurious:
            kind = MistakeKind.BOUNDARY_ONE_UNIT if distance <= 1 else MistakeKind.OTHER_BOUNDARY
            pair(kind, gold, predicted)
    found += [Mistake(MistakeKind.MISSED, span, None) for span in missed]
    found += [Mistake(MistakeKind.SPURIOUS, None, span) for span in spurious]
    return sorted(found, key=lambda mistake: mistake.spans)


def count_mistakes(found: Iterable[Mistake]) -> dict[str, int]:
    """How many mistakes of each kind, all kinds named."""
    counts = Counter(mistake.kind for mistake in found)
    return {str(kind): counts[kind] for kind in MistakeKind}


def _same_edges(missed: Iterable[Span], spurious: Iterable[Span]) -> list[tuple[Span, Span]]:
    by_edges: defaultdict[tuple[int, int], list[Span]] = defaultdict(list)
    for span in sorted(spurious):
        by_edges[span.start, span.end].append(span)
    edges: defaultdict[tuple[int, int], list[Span]] = defaultdict(list)
    for span in sorted(missed):
        edges[span.start, span.end].append(span)
    return [pair for place, gold in edges.items() for pair in zip(gold, by_edges[place], strict=False)]


def _overlaps(missed: Iterable[Span], spurious: Iterable[Span], ruler: UnitRuler) -> list[tuple[int, Span, Span]]:
    """Pairs of one type that share a character, with their distance in units, the nearest first."""
    by_type: defaultdict[str, list[Span]] = defaultdict(list)
    for span in sorted(missed):
        by_type[span.type].append(span)
    pairs = [(gold, wrong) for wrong in spurious for gold in _touching(wrong, by_type[wrong.type])]
    return sorted((ruler.distance(gold, wrong), gold, wrong) for gold, wrong in pairs)


def _touching(span: Span, ordered: Sequence[Span]) -> Iterator[Span]:
    """Those of the ordered spans that share a character with `span`."""
    longest = max((one.end - one.start for one in ordered), default=0)
    first = bisect_left(ordered, span.start - longest, key=lambda one: one.start)
    last = bisect_left(ordered, span.end, key=lambda one: one.start)
    return (one for one in ordered[first:last] if one.end > span.start)
