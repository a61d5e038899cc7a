"""One evaluation as a value, and as the JSON object that `bioner evaluate --json` prints."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bioner_core.evaluation.bootstrap import RESAMPLES, SEED, f1_interval
from bioner_core.evaluation.by_length import score_by_length
from bioner_core.evaluation.mistakes import count_mistakes, mistakes
from bioner_core.evaluation.scoring import (
    RecordSpans,
    Score,
    Subset,
    score,
    score_boundaries,
    score_by_type,
    score_flat,
    score_inner,
    score_nested,
    score_relaxed,
)
from bioner_core.evaluation.unit_ruler import UnitRuler


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


def evaluate(
    records: Sequence[RecordSpans], rulers: Sequence[UnitRuler], *, resamples: int = RESAMPLES, seed: int = SEED
) -> Evaluation:
    """Score predictions against gold in every way that a report shows; `rulers` measure the records' texts.

    Deterministic for one seed. Raises ValueError when there is not one ruler a record.
    """
    return Evaluation(
        records=len(records),
        strict=score(records),
        ci95=f1_interval(records, resamples=resamples, seed=seed),
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
