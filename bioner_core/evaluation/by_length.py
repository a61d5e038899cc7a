"""Scores by the length of an entity, in tagging units: long entities are where boundaries go wrong."""

from collections.abc import Sequence

from bioner_core.evaluation.scoring import RecordSpans, Score, score
from bioner_core.evaluation.unit_ruler import UnitRuler
from bioner_core.mentions import Span

LENGTHS: tuple[tuple[int, int | None], ...] = ((1, 1), (2, 2), (3, 3), (4, 5), (6, 9), (10, None))
"""The buckets: first and last length in units, None for no upper bound."""


def score_by_length(records: Sequence[RecordSpans], rulers: Sequence[UnitRuler]) -> dict[str, Score]:
    """Strict scores of the spans of each length, shortest first; each side's spans count under their own length.

    Lengths that occur on neither side are left out.
    """
    measured = [
        (_by_bucket(record.gold, ruler), _by_bucket(record.predicted, ruler))
        for record, ruler in zip(records, rulers, strict=True)
    ]
    found: dict[str, Score] = {}
    for index, (first, last) in enumerate(LENGTHS):
        scored = score(RecordSpans(gold[index], predicted[index]) for gold, predicted in measured)
        if scored.support or scored.predicted:
            found[_name(first, last)] = scored
    return found


def _by_bucket(spans: frozenset[Span], ruler: UnitRuler) -> list[frozenset[Span]]:
    buckets: list[set[Span]] = [set() for _ in LENGTHS]
    for span in spans:
        buckets[_bucket(ruler.length(span))].add(span)
    return [frozenset(bucket) for bucket in buckets]


def _bucket(length: int) -> int:
    return next(index for index, (_, last) in enumerate(LENGTHS) if last is None or length <= last)


def _name(first: int, last: int | None) -> str:
    if last is None:
        return f"{first}+"
    return str(first) if first == last else f"{first}-{last}"
