"""One evaluation as a value, and as the JSON object that `bioner evaluate --json` prints.

Beside the scores stand how far micro-F1 could have fallen out otherwise on records like these (a seeded bootstrap over
records), and scores by the length of an entity in tagging units: long entities are where boundaries go wrong.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioner_core.evaluation.mistakes import count_mistakes, mistakes
from bioner_core.evaluation.scoring import (
    RecordSpans,
    Score,
    Subset,
    UnitRuler,
    score,
    score_boundaries,
    score_by_type,
    score_flat,
    score_inner,
    score_nested,
    score_relaxed,
)
from bioner_core.mentions import Span

RESAMPLES = 1000
SEED = 20_251
_DRAWS_AT_ONCE = 4_000_000


def f1_interval(records: Sequence[RecordSpans], *, resamples: int = RESAMPLES, seed: int = SEED) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of strict micro-F1 over `resamples` draws of `len(records)` records.

    Records are drawn with replacement, whole: entities of one record are not independent. The same records, resamples
    and seed give the same interval. Without records it is (0, 0); with one record it has no width.
    """
    if not records:
        return 0.0, 0.0
    scores = _resampled_f1(_counts(records), resamples=resamples, generator=np.random.default_rng(seed))
    low, high = np.percentile(scores, [2.5, 97.5])
    return float(low), float(high)


def _counts(records: Sequence[RecordSpans]) -> NDArray[np.int64]:
    """One row per record: right predictions, predictions plus gold spans. *Shape:* (records, 2)."""
    rows = [(len(r.gold & r.predicted), len(r.gold) + len(r.predicted)) for r in records]
    return np.array(rows, dtype=np.int64)


def _resampled_f1(counts: NDArray[np.int64], *, resamples: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """F1 of each resample, by 2 × right ÷ (predicted + gold). *Shape:* (resamples,)."""
    size = len(counts)
    at_once = max(1, _DRAWS_AT_ONCE // size)
    sums = [
        counts[generator.integers(0, size, (min(at_once, resamples - done), size))].sum(axis=1)
        for done in range(0, resamples, at_once)
    ]
    totals = np.concatenate(sums)
    scores: NDArray[np.float64] = 2.0 * totals[:, 0] / np.maximum(totals[:, 1], 1)
    return scores


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


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All scores of one set of records; ratios run from 0 to 1.

    `strict` counts a span as right when start, end and type are; `ci95` is the 95 % interval of its F1. `flat` are
    spans that share no character with another, `nested` those that do, `inner` those inside a longer one.
    `boundary_only` ignores types, `relaxed` (type only) asks for the type and one shared character. `by_length` goes
    by tagging units; `mistakes` counts the buckets of `MistakeKind`.
    """

    records: int
    strict: Score
    ci95: tuple[float, float]
    by_type: Mapping[str, Score]
    flat: Subset
    nested: Subset
    inner: Subset
    boundary_only: Score
    relaxed: Score
    by_length: Mapping[str, Score]
    mistakes: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """The fields as plain JSON values; those of `strict` stand at the top level, `ci95` is `[low, high]`."""
        return {
            **asdict(self.strict),
            "ci95": list(self.ci95),
            "records": self.records,
            "by_type": _lines(self.by_type),
            "flat": asdict(self.flat),
            "nested": asdict(self.nested),
            "inner": asdict(self.inner),
            "boundary_only": asdict(self.boundary_only),
            "relaxed": asdict(self.relaxed),
            "by_length": _lines(self.by_length),
            "mistakes": dict(self.mistakes),
        }


def evaluate(records: Sequence[RecordSpans], rulers: Sequence[UnitRuler]) -> Evaluation:
    """Score predictions against gold in every way that a report shows; `rulers` measure the records' texts.

    Deterministic. Raises ValueError when there is not one ruler per record.
    """
    return Evaluation(
        records=len(records),
        strict=score(records),
        ci95=f1_interval(records),
        by_type=score_by_type(records),
        flat=score_flat(records),
        nested=score_nested(records),
        inner=score_inner(records),
        boundary_only=score_boundaries(records),
        relaxed=score_relaxed(records),
        by_length=score_by_length(records, rulers),
        mistakes=count_mistakes(
            mistake for record, ruler in zip(records, rulers, strict=True) for mistake in mistakes(record, ruler)
        ),
    )


def _lines(scores: Mapping[str, Score]) -> dict[str, dict[str, Any]]:
    return {name: asdict(line) for name, line in scores.items()}
