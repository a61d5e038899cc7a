"""One evaluation as a page: a single HTML file that needs no network and no script.

Light and dark follow the reader's system; sections open by keyboard; tables scroll by themselves on a narrow screen.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from bioner_core.evaluation.charts import bar_chart, reliability_chart
from bioner_core.evaluation.comparison import Comparison
from bioner_core.evaluation.mistakes import MistakeKind
from bioner_core.evaluation.reliability import ReliabilityBin
from bioner_core.viewer.templates import page_environment

TEMPLATE = "report.html.j2"

_KINDS = {
    MistakeKind.BOUNDARY_ONE_UNIT: "Boundary off by one unit",
    MistakeKind.OTHER_BOUNDARY: "Other boundary",
    MistakeKind.WRONG_TYPE: "Wrong type",
    MistakeKind.MISSED: "Missed",
    MistakeKind.SPURIOUS: "Spurious",
}
_SIDES = ("with the selector", "without")


def render_report(report: Mapping[str, Any], comparison: Comparison | None = None) -> str:
    """The page of a report as `bioner evaluate --output` writes it; all text of the corpus in it is escaped.

    `comparison` sets it beside an earlier report of the same data.

    Raises:
        KeyError: a field of the report is missing.
    """
    environment = page_environment("bioner_core.evaluation")
    environment.filters["percent"] = lambda ratio: f"{100 * ratio:.1f}"
    sides = [report, report["without_selector"]] if "without_selector" in report else [report]
    return environment.get_template(TEMPLATE).render(
        report=report,
        sides=list(zip(_SIDES, sides, strict=False)),
        summary=_summary(report),
        charts=_charts(report, sides) | ({"change": _change_chart(comparison)} if comparison else {}),
        comparison=comparison,
        kinds={str(kind): words for kind, words in _KINDS.items()},
        segments=_segments,
    )


def _summary(report: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The lines of the first table: a name and a score."""
    return [
        ("Boundaries, any type", report["boundary_only"]),
        ("Type, any overlap", report["relaxed"]),
        ("Flat against flat", report["flat"]["only"]),
        ("Nested against nested", report["nested"]["only"]),
        ("Inside another, against the same", report["inner"]["only"]),
    ]


def _charts(report: Mapping[str, Any], sides: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    bins = report["reliability"]
    charts = {
        "by_type": bar_chart("F1 by type, in percent", _f1_rows(sides, "by_type")),
        "by_length": bar_chart("F1 by length in tagging units, in percent", _f1_rows(sides, "by_length")),
        "recall": bar_chart(
            "Recall of flat and nested entities, in percent",
            [(name, [side[key]["recall"] for side in sides]) for name, key in _SUBSETS.items()],
        ),
        "mistakes": bar_chart(
            "Mistakes by kind",
            [(words, [side["mistakes"][kind] for side in sides]) for kind, words in _KINDS.items()],
            as_counts=True,
        ),
        "tag_score": reliability_chart(
            "Tag score against precision", _bins(bins["tag_score"]), x_name="tag score", is_probability=False
        ),
    }
    if bins["selector"] is not None:
        charts["selector"] = reliability_chart(
            "Selector probability against precision",
            _bins(bins["selector"]),
            x_name="selector's probability, %",
            is_probability=True,
        )
    return charts


def _change_chart(comparison: Comparison) -> str:
    rows = [(one.name, [side["f1"] if side else None for side in (one.before, one.after)]) for one in comparison.scores]
    return bar_chart("F1 before and after, in percent", rows)


_SUBSETS = {"Flat": "flat", "Nested": "nested", "Inside another": "inner"}


def _f1_rows(sides: Sequence[Mapping[str, Any]], key: str) -> list[tuple[str, list[float | None]]]:
    names = list(dict.fromkeys(name for side in sides for name in side[key]))
    return [(name, [side[key][name]["f1"] if name in side[key] else None for side in sides]) for name in names]


def _bins(values: Sequence[Mapping[str, Any]]) -> list[ReliabilityBin]:
    return [ReliabilityBin(**value) for value in values]


def _segments(example: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The example's text cut at the edges of its spans: a class (`gold`, `predicted`, `both` or none) and a piece."""
    text, spans = example["text"], {side: example[side] for side in ("gold", "predicted") if example[side] is not None}
    edges = sorted({0, len(text), *(span[edge] for span in spans.values() for edge in ("start", "end"))})
    for start, end in pairwise(edges):
        inside = [side for side, span in spans.items() if span["start"] <= start and end <= span["end"]]
        yield ("both" if len(inside) == 2 else "".join(inside)), text[start:end]
