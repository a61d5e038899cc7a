"""One evaluation as a value, and as the JSON object that `bioner evaluate --json` prints."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bioner_core.evaluation.bootstrap import RESAMPLES, SEED, f1_interval
from bioner_core.evaluation.scoring import (
    RecordSpans,
    Score,
    Subset,
    score,
    score_boundaries,
    score_by_type,
    score_flat,
    score_nested,
    score_relaxed,
)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All scores of one set of records; ratios run from 0 to 1.

    `strict` counts a span as right when start, end and type are; `ci95` is the 95 % interval of its F1;
    `boundary_only` ignores types, `relaxed` asks for the type and one shared character.
    """

    records: int
    strict: Score
    ci95: tuple[float, float]
    by_type: Mapping[str, Score]
    flat: Subset
    nested: Subset
    boundary_only: Score
    relaxed: Score

    def to_json(self) -> dict[str, Any]:
        """The fields as plain JSON values; those of `strict` stand at the top level, `ci95` is `[low, high]`."""
        return {
            **asdict(self.strict),
            "ci95": list(self.ci95),
            "records": self.records,
            "by_type": {name: asdict(line) for name, line in self.by_type.items()},
            "flat": asdict(self.flat),
            "nested": asdict(self.nested),
            "boundary_only": asdict(self.boundary_only),
            "relaxed": asdict(self.relaxed),
        }


def evaluate(records: Sequence[RecordSpans], *, resamples: int = RESAMPLES, seed: int = SEED) -> Evaluation:
    """Score predictions against gold in every way that a report shows; deterministic for one seed."""
    return Evaluation(
        records=len(records),
        strict=score(records),
        ci95=f1_interval(records, resamples=resamples, seed=seed),
        by_type=score_by_type(records),
        flat=score_flat(records),
        nested=score_nested(records),
        boundary_only=score_boundaries(records),
        relaxed=score_relaxed(records),
    )
