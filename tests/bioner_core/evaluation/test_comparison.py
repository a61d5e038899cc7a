"""Two evaluations of the same data side by side."""

import json
from pathlib import Path
from typing import Any

import pytest

from bioner_core.errors import ConfigurationError
from bioner_core.evaluation.comparison import compare, read_report
from bioner_core.evaluation.html_report import render_report
from tests.bioner_core.evaluation.test_html_report import Outline, report_of


def pair() -> tuple[dict[str, Any], dict[str, Any]]:
    """A report, and a better one of another model on the same data."""
    before = report_of() | {"data_sha256": "0" * 64}
    after: dict[str, Any] = json.loads(json.dumps(before)) | {"model": "runs/<mine>", "f1": before["f1"] + 0.1}
    return before, after


def test_each_line_says_what_it_was_and_what_it_is() -> None:
    """Catches sides that are swapped, a type that only one report has and that vanishes, and mistakes of one side."""
    before, after = pair()
    after["by_type"]["new"] = after["by_type"]["protein"]
    found = compare(before, after)
    first = found.scores[0]
    assert (first.name, round(first.f1 or 0, 9)) == ("all", 0.1)
    [new] = [one for one in found.scores if one.name == "new"]
    assert (new.before, new.f1) == (None, None)
    assert {kind: counts[1] for kind, counts in found.mistakes.items()} == after["mistakes"]
    page = render_report(after, found)
    Outline(page)
    assert "Before and after" in page
    assert "+10.0" in page
    assert "runs/&lt;mine&gt;" in page
    assert "Before and after" not in render_report(after)


@pytest.mark.parametrize(("name", "value"), [("data_sha256", "1"), ("label_set", "other"), ("records", 1)])
def test_other_data_is_no_comparison(name: str, value: object) -> None:
    """Catches a gain that is one of the test set, of --limit, or of the types that were asked for."""
    before, after = pair()
    with pytest.raises(ConfigurationError, match=name):
        compare(before | {name: value}, after)


@pytest.mark.parametrize("content", ["", "[]", '{"f1": 1}'])
def test_what_is_no_report_is_refused(tmp_path: Path, content: str) -> None:
    """Catches a traceback for a page or a `--json` line in place of the report."""
    path = tmp_path / "report.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="report"):
        read_report(path)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_report(tmp_path / "none.json")
