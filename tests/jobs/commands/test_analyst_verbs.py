"""`show`, `export` and `report` over a small store."""

import json
from pathlib import Path

import pytest
from job_commands import Command
from job_stores import CHINESE, ENGLISH, word_store

from bioner_core.mentions import Mention
from jobs.terminal.document_view import drawn_lines, rows_of


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that no test of this module changes."""
    return word_store(tmp_path_factory.mktemp("words"))


def test_show_draws_lines_over_the_text(bioner: Command, store: Path) -> None:
    """Catches lines below or beside the text, nested ones on one level, rejected ones unasked."""
    lines = bioner("show", "jsonl:e0", "--store", store).out.splitlines()
    text = lines.index(ENGLISH)
    assert [line.split() for line in lines[text - 4 : text]] == 2 * [["────", "─────"]] + 2 * [["─", "─"]]
    assert "╌" not in "".join(lines)
    with_rejected = bioner("show", "jsonl:e0", "--store", store, "--rejected").out.splitlines()
    assert with_rejected[with_rejected.index(ENGLISH) + 1].split() == ["╌", "╌"]


def test_show_writes_a_page(bioner: Command, store: Path, tmp_path: Path) -> None:
    """Catches a page of another document, or terminal lines beside it."""
    page = tmp_path / "page.html"
    done = bioner("show", "jsonl:e0", "--store", store, "--html", page)
    assert (done.code, done.out) == (0, f"{page}: jsonl:e0, 8 mentions\n")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_show_json_is_one_object(bioner_process: Command, store: Path) -> None:
    """Catches a second line on standard output."""
    done = bioner_process("show", "jsonl:e0", "--store", store, "--json")
    assert done.out.count("\n") == 1
    assert (json.loads(done.out)["doc_id"], json.loads(done.out)["origin"]) == ("jsonl:e0", "shards")


def test_show_names_a_document_that_is_not_there(bioner: Command, store: Path) -> None:
    """Catches an empty page for a mistyped id."""
    done = bioner("show", "jsonl:e9", "--store", store)
    assert (done.code, done.out) == (2, "")
    assert "jsonl:e9" in done.err


def test_a_dump_cannot_steer_the_terminal(bioner: Command, store: Path) -> None:
    """Catches control characters, or markup of the table library, that go through from a dump's text."""
    out = bioner("show", "jsonl:e1", "--store", store).out
    assert "\x1b" not in out
    assert "\\x1b[2J[bold]red" in out


def test_lines_stand_over_wide_characters() -> None:
    """Catches lines that count characters where the terminal counts cells, and rows that cut a word in two."""
    text = CHINESE + " CT scan"
    one = Mention("m", "d", 1, 0, "t", "zh", 0, 2, 4, text[2:4], "s", "pat", None, 0, 1.0, 0.5, accepted=True)
    line, row = drawn_lines(text, [one], colours={("s", "pat"): "red"}, width=40)
    assert (line.plain, row.plain) == ("    ────", text)
    assert [text[start:end] for start, end in rows_of(text, 10)] == [CHINESE + " ", "CT scan"]
    assert list(rows_of("x" * 5 + "\ny", 3)) == [(0, 3), (3, 6), (6, 7)]


def test_export_says_what_it_wrote(bioner: Command, store: Path, tmp_path: Path) -> None:
    """Catches counts that are not those of the file, and options without effect."""
    done = bioner("export", "--store", store, "--format", "jsonl", "--output", tmp_path / "a", "--quiet")
    assert done.out.startswith(f"{tmp_path / 'a'}: 4 documents, ")
    found = bioner("export", "--store", store, "--format", "conll", "--output", tmp_path / "b", "--json", "--quiet")
    assert json.loads(found.out)["left_out_mentions"] > 0
    lines = (tmp_path / "a").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 4


def test_export_refuses_what_it_does_not_know(bioner: Command, store: Path, tmp_path: Path) -> None:
    """Catches a traceback, or an empty file, for a mistyped format."""
    done = bioner("export", "--store", store, "--format", "docx", "--output", tmp_path / "x", "--quiet")
    assert done.code == 2
    assert "bioc-xml" in done.err
    assert not (tmp_path / "x").exists()


def test_report_json_is_one_object(bioner_process: Command, store: Path) -> None:
    """Catches a note or a warning on standard output, and values that JSON cannot hold."""
    done = bioner_process("report", "--store", store, "--json")
    assert done.out.count("\n") == 1
    figures = json.loads(done.out)
    assert (figures["counts"]["documents"], figures["origin"]) == (4, "shards")
    assert [one["job"] for one in figures["runs"]] == ["annotate"]


def test_report_of_a_run_writes_a_page(bioner: Command, store: Path, tmp_path: Path) -> None:
    """Catches a run that the store knows and the report does not, and a page without it."""
    [run] = json.loads(bioner("report", "--store", store, "--json").out)["runs"]
    page = tmp_path / "report.html"
    done = bioner("report", "--store", store, "--run", run["run_id"], "--html", page)
    assert done.code == 0
    assert "documents  4, 0 of 4 records rejected" in done.out
    assert f"<h1>Run {run['run_id']}</h1>" in page.read_text(encoding="utf-8")
    assert bioner("report", "--store", store, "--run", "nightly").code == 2
