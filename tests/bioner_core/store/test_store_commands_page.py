"""The example of docs/commands.md that reads a store without bioner's own readers, run as it is printed."""

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from little_stores import Event, commit_input

PAGE = Path(__file__).resolve().parents[3] / "docs" / "commands.md"
_BLOCK = re.compile(r"(?:^ {4}.*\n|^\n)+", re.MULTILINE)


def test_the_example_that_reads_tables_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches an argument of `table_files` that has changed while the page has not, and an example of no rows."""
    commit_input(tmp_path / "my-store", 1, [Event(1), Event(2, words=3)])
    (example,) = [one for one in _BLOCK.findall(PAGE.read_text(encoding="utf-8")) if "table_files(" in one]
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(dedent(example), str(PAGE), "exec"), names)  # noqa: S102 - a page of ours
    assert sorted(set(names["mentions"].column("doc_id").to_pylist())) == ["pubmed:1", "pubmed:2"]
