"""How far a score of a candidate can be trusted: its value against the share of candidates that are right."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, NamedTuple

BINS = 10


class ScoredCandidate(NamedTuple):
    """The two scores of one candidate, accepted or not, and whether it is a gold span."""

    tag_score: float
    selector_score: float
    is_right: bool


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The candidates with a score from `low` to `high`: how many, their mean score, and the share that is right."""

    low: float
    high: float
    count: int
    mean_score: float
    precision: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """What the candidates' scores are worth.

    `selector` has the bins of the selector's probability, None without a selector; `tag_score` those of the tag score.
    Bins without a candidate are left out.
    """

    selector: tuple[ReliabilityBin, ...] | None
    tag_score: tuple[ReliabilityBin, ...]

    @property
    def calibration_error(self) -> float | None:
        """Expected calibration error: the gap between probability and precision, weighted by candidates."""
        if self.selector is None:
            return None
        total = sum(one.count for one in self.selector)
        return sum(one.count * abs(one.mean_score - one.precision) for one in self.selector) / max(total, 1)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `selector` and `calibration_error` are null without a selector."""
        return {
            "calibration_error": self.calibration_error,
            "selector": None if self.selector is None else [asdict(one) for one in self.selector],
            "tag_score": [asdict(one) for one in self.tag_score],
        }


def reliability(candidates: Sequence[ScoredCandidate], *, has_selector: bool) -> Reliability:
    """Bins of both scores over all candidates, those that the selector turned down too."""
    probabilities = [(one.selector_score, one.is_right) for one in candidates]
    return Reliability(
        selector=equal_bins(probabilities) if has_selector else None,
        tag_score=equal_counts([(one.tag_score, one.is_right) for one in candidates]),
    )


def equal_bins(scored: Sequence[tuple[float, bool]]) -> tuple[ReliabilityBin, ...]:
    """Ten bins of equal width from 0 to 1; a score on an edge belongs to the upper bin, 1 to the last."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for score, is_right in scored:
        bins[min(int(score * BINS), BINS - 1)].append((score, is_right))
    return tuple(_bin(inside, low=index / BINS, high=(index + 1) / BINS) for index, inside in enumerate(bins) if inside)


def equal_counts(scored: Sequence[tuple[float, bool]]) -> tuple[ReliabilityBin, ...]:
    """Ten bins of as good as equal numbers of candidates, by rising score; `low` and `high` are scores that occur."""
    ordered = sorted(scored)
    edges = [len(ordered) * index // BINS for index in range(BINS + 1)]
    parts = [ordered[first:last] for first, last in pairwise(edges) if first < last]
    return tuple(_bin(inside, low=inside[0][0], high=inside[-1][0]) for inside in parts)


def _bin(inside: Sequence[tuple[float, bool]], *, low: float, high: float) -> ReliabilityBin:
    scores, right = zip(*inside, strict=True)
    return ReliabilityBin(low, high, len(inside), sum(scores) / len(inside), sum(right) / len(inside))
