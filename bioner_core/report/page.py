"""A report as a page: a single HTML file that needs no network and no script, light or dark as the reader's system."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from bioner_core.evaluation.charts import bar_chart
from bioner_core.viewer.colours import meaning_of
from bioner_core.viewer.templates import page_environment

MOST_TYPES = 30
"""How many types have a bar; the table has all."""

_Rows = Sequence[Mapping[str, Any]]


def render_report(figures: Mapping[str, Any], *, above: Markup | None = None) -> str:
    """The page of `report_figures`; all text of dumps in it is escaped. `above` is markup of whoever shows it.

    Raises:
        KeyError: a figure is missing.
    """
    environment = page_environment("bioner_core.report")
    environment.filters["grouped"] = lambda number: f"{number:,}"
    environment.filters["minute"] = _minute
    return environment.get_template("report.html.j2").render(
        figures=figures,
        charts=_charts(figures),
        meanings=shown_names_of(figures["types"]),
        rows_of=_rows_of,
        above=above or Markup(),
    )


def shown_names_of(types: _Rows) -> list[tuple[str, str]]:
    """What types are called whose names do not say it, such as `dis`."""
    found = dict.fromkeys((str(one["type"]), meaning_of(one["label_set"], one["type"])) for one in types)
    return [(name, meaning) for name, meaning in found if meaning and meaning.lower() != name.lower()]


def _minute(moment: str) -> str:
    """A moment in ISO 8601 as a table shows it: to the minute, on one line."""
    return moment[:16].replace("T", " ")


def _rows_of(rows: _Rows, names: Sequence[str]) -> list[list[Any]]:
    return [[row[name] for name in names] for row in rows]


def _charts(figures: Mapping[str, Any]) -> dict[str, str]:
    types = figures["types"][:MOST_TYPES]
    return {
        "types": _pair_chart("Candidates by type", types, [f"{one['type']} ({one['label_set']})" for one in types]),
        "selector": _pair_chart(
            "Candidates by selector score",
            figures["selector_scores"],
            [f"{one['tenth'] / 10:.1f} to {(one['tenth'] + 1) / 10:.1f}" for one in figures["selector_scores"]],
        ),
        "tag": _pair_chart(
            "Candidates by tag score", figures["tag_scores"], list(map(_tag_bin, figures["tag_scores"]))
        ),
        "depths": bar_chart(
            "Accepted mentions by nesting depth",
            [(f"depth {one['depth']}", [one["mentions"]]) for one in figures["depths"]],
            as_counts=True,
        ),
        "rejects": bar_chart(
            "Rejects by reason",
            [(f"{one['reason']} ({one['stage']})", [one["rejects"]]) for one in figures["rejects"]],
            as_counts=True,
        ),
    }


def _pair_chart(title: str, rows: _Rows, names: Sequence[str]) -> str:
    bars = [[one["accepted"], one["turned_down"]] for one in rows]
    return bar_chart(title, list(zip(names, bars, strict=True)), as_counts=True)


def _tag_bin(row: Mapping[str, Any]) -> str:
    floor = row["floor"]
    if floor == -3:
        return "below -2"
    return "9 and more" if floor == 9 else f"{floor} to {floor + 1}"
