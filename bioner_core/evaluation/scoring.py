"""Precision, recall and F1 of predicted spans against gold spans, micro-averaged over records.

A ratio with nothing below the line is 0, so that an empty prediction never scores better than a wrong one. Lengths and
distances of spans are in tagging units, the steps in which a tag can be off.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from bioner_core.mentions import Span
from bioner_core.text.units import split_units


class RecordSpans(NamedTuple):
    """What a human and a model marked in one record, in the same offsets."""

    gold: frozenset[Span]
    predicted: frozenset[Span]


@dataclass(frozen=True, slots=True)
class Score:
    """One line of a report: `support` gold spans, `predicted` predicted ones, and the three ratios, 0 to 1."""

    precision: float
    recall: float
    f1: float
    support: int
    predicted: int


@dataclass(frozen=True, slots=True)
class Subset:
    """The score of a subset of the gold spans.

    `recall` is the share of the subset that is among all predictions; `only` scores the subset of the gold spans
    against the same subset of the predictions, each formed within its own side.
    """

    recall: float
    support: int
    only: Score


def score(records: Iterable[RecordSpans]) -> Score:
    """Strict micro scores: a prediction is right when start, end and type all equal those of a gold span."""
    right = predicted = gold = 0
    for record in records:
        right += len(record.gold & record.predicted)
        predicted += len(record.predicted)
        gold += len(record.gold)
    return _score(right, predicted, found=right, gold=gold)


def score_by_type(records: Sequence[RecordSpans]) -> dict[str, Score]:
    """Strict scores of each type that occurs in gold or prediction, sorted by name."""
    types = {span.type for record in records for side in record for span in side}
    return {name: score(_kept(records, _of_type(name))) for name in sorted(types)}


def score_boundaries(records: Iterable[RecordSpans]) -> Score:
    """Scores of (start, end) alone: the type may be wrong; two types at the same edges count once."""
    return score(RecordSpans(_untyped(record.gold), _untyped(record.predicted)) for record in records)


def score_relaxed(records: Iterable[RecordSpans]) -> Score:
    """Scores of the type alone: a span is right when it shares a character with one of its type on the other side."""
    right = predicted = found = gold = 0
    for record in records:
        right += _overlapping_same_type(record.predicted, record.gold)
        predicted += len(record.predicted)
        found += _overlapping_same_type(record.gold, record.predicted)
        gold += len(record.gold)
    return _score(right, predicted, found=found, gold=gold)


def score_flat(records: Sequence[RecordSpans]) -> Subset:
    """Scores of the spans that share no character with another span of their side."""
    return _subset(records, lambda spans: spans - overlapping(spans))


def score_nested(records: Sequence[RecordSpans]) -> Subset:
    """Scores of the spans that share a character with another span of their side, of whatever type."""
    return _subset(records, overlapping)


def score_inner(records: Sequence[RecordSpans]) -> Subset:
    """Scores of the spans that lie inside a longer span of their side, of whatever type."""
    return _subset(records, inside)


def inside(spans: frozenset[Span]) -> frozenset[Span]:
    """The spans that another, longer one of the set holds whole."""
    # Of one start the longest comes first, so whatever holds a span comes before it.
    edges = sorted({(span.start, -span.end) for span in spans})
    furthest = [0, *accumulate((-end for _, end in edges), max)]
    held = {(start, -end) for i, (start, end) in enumerate(edges) if furthest[i] >= -end}
    return frozenset(span for span in spans if (span.start, span.end) in held)


def overlapping(spans: frozenset[Span]) -> frozenset[Span]:
    """The spans that share at least one character with another of the set."""
    ordered = sorted(spans)
    furthest = [0, *accumulate((span.end for span in ordered), max)]
    return frozenset(
        span
        for i, span in enumerate(ordered)
        if furthest[i] > span.start or (i + 1 < len(ordered) and ordered[i + 1].start < span.end)
    )


def _subset(records: Sequence[RecordSpans], choose: Callable[[frozenset[Span]], frozenset[Span]]) -> Subset:
    chosen = [choose(record.gold) for record in records]
    support = sum(map(len, chosen))
    found = sum(len(gold & record.predicted) for gold, record in zip(chosen, records, strict=True))
    only = score(RecordSpans(gold, choose(record.predicted)) for gold, record in zip(chosen, records, strict=True))
    return Subset(_ratio(found, support), support, only)


def _kept(records: Iterable[RecordSpans], keep: Callable[[Span], bool]) -> Iterable[RecordSpans]:
    return (RecordSpans(*(frozenset(filter(keep, side)) for side in record)) for record in records)


def _of_type(name: str) -> Callable[[Span], bool]:
    return lambda span: span.type == name


def _untyped(spans: frozenset[Span]) -> frozenset[Span]:
    return frozenset(Span(span.start, span.end, "") for span in spans)


def _overlapping_same_type(spans: frozenset[Span], others: frozenset[Span]) -> int:
    """How many spans share a character with one of `others` of their type."""
    count = 0
    for name in {span.type for span in spans}:
        ordered = sorted(other for other in others if other.type == name)
        starts = [other.start for other in ordered]
        furthest = [0, *accumulate((other.end for other in ordered), max)]
        count += sum(furthest[bisect_left(starts, s.end)] > s.start for s in spans if s.type == name)
    return count


def _score(right: int, predicted: int, *, found: int, gold: int) -> Score:
    precision, recall = _ratio(right, predicted), _ratio(found, gold)
    return Score(precision, recall, _ratio(2 * precision * recall, precision + recall), gold, predicted)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


class UnitRuler:
    """Measures spans of one text; their offsets are code points into it."""

    def __init__(self, text: str) -> None:
        self._starts = [unit.start for unit in split_units(text)]

    def length(self, span: Span) -> int:
        """How many units the span touches; at least 1."""
        first, last = self._edges(span)
        return last - first + 1

    def distance(self, one: Span, other: Span) -> int:
        """By how many units their starts differ, plus by how many their ends do."""
        return sum(abs(a - b) for a, b in zip(self._edges(one), self._edges(other), strict=True))

    def _edges(self, span: Span) -> tuple[int, int]:
        """Indices of the units that hold the first and the last character."""
        return bisect_right(self._starts, span.start) - 1, bisect_right(self._starts, span.end - 1) - 1
