"""One evaluation beside an earlier one on the same data: what a training, or corrections, brought."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bioner_core.errors import ConfigurationError, cause_of

_SAME = ("data_sha256", "label_set", "records", "support")
"""What two reports must have in common: else their difference is one of the data."""


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """One line of scores, before and after; a side is None where that report has no such line."""

    name: str
    support: int
    before: Mapping[str, float] | None
    after: Mapping[str, float] | None

    @property
    def f1(self) -> float | None:
        """By how much F1 rose."""
        return None if self.before is None or self.after is None else self.after["f1"] - self.before["f1"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Scores and counts of mistakes before and after; `before_model` made the former, `ci95` are intervals of F1."""

    before_model: str
    ci95: tuple[list[float], list[float]]
    scores: tuple[ScoreChange, ...]
    mistakes: Mapping[str, tuple[int, int]]

    def to_json(self) -> dict[str, Any]:
        """A JSON object, with the difference of each F1."""
        scores = [asdict(one) | {"f1": one.f1} for one in self.scores]
        return {
            "before_model": self.before_model,
            "ci95": list(self.ci95),
            "scores": scores,
            "mistakes": {kind: list(counts) for kind, counts in self.mistakes.items()},
        }


def read_report(path: Path) -> dict[str, Any]:
    """A report that `bioner evaluate --output` wrote.

    Raises:
        ConfigurationError: it cannot be read, or is no such report.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"--before: {path} cannot be read as a report: {cause_of(error)}") from error
    wanted = (*_SAME, "model", "f1", "ci95", "by_type", "mistakes")
    if not isinstance(report, dict) or any(name not in report for name in wanted):
        raise ConfigurationError(f"--before: {path} is no report of `bioner evaluate --output`")
    return report


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> Comparison:
    """Two reports of `bioner evaluate --output` side by side.

    Raises:
        ConfigurationError: they are of different data, or of different label sets.
    """
    for name in _SAME:
        if before[name] != after[name]:
            raise ConfigurationError(
                f"--before: its {name} is {before[name]!r}, here it is {after[name]!r}; score both models on the same "
                "data, label set and --limit"
            )
    lines = _lines(before), _lines(after)
    names = list(dict.fromkeys((*lines[1], *lines[0])))
    scores = [ScoreChange(one, _support(one, *lines), *(_ratios(side.get(one)) for side in lines)) for one in names]
    kinds = {kind: (before["mistakes"].get(kind, 0), count) for kind, count in after["mistakes"].items()}
    return Comparison(str(before["model"]), (before["ci95"], after["ci95"]), tuple(scores), kinds)


def _lines(report: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {"all": report, **report["by_type"]}


def _support(name: str, *sides: Mapping[str, Mapping[str, Any]]) -> int:
    return max(int(side[name]["support"]) for side in sides if name in side)


def _ratios(score: Mapping[str, Any] | None) -> dict[str, float] | None:
    return None if score is None else {name: float(score[name]) for name in ("precision", "recall", "f1")}
