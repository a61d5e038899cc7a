"""Answers that would mislead or do harm: empty ones for a wrong word, formulas, values that Python cannot hold."""

import csv
import io
import json
from pathlib import Path

import pytest
from job_commands import Command
from job_stores import word_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose English documents have no year."""
    return word_store(tmp_path_factory.mktemp("words"))


def test_a_type_that_is_not_there_is_told(bioner: Command, store: Path) -> None:
    """Catches an empty table for `type=Word`, which looks like a store without such entities."""
    done = bioner("query", "--store", store, "--named", "top_entities", "--param", "type=Word")
    assert done.code == 2
    assert "'Word'" in done.err
    assert "letter, word" in done.err
    assert bioner("query", "--store", store, "--named", "top_entities", "--param", "type=word").code == 0


def test_a_ready_question_without_its_option_is_told_of_it(bioner: Command, store: Path) -> None:
    """Catches a parser's error for the name of a question that is there."""
    done = bioner("query", "--store", store, "top_entities")
    assert done.code == 2
    assert "--named top_entities" in done.err


@pytest.mark.parametrize(
    ("named", "param"),
    [("changed_since", "since=yesterday"), ("changed_since", "since=2026-13-01"), ("top_entities", "limit=ten")],
)
def test_a_value_of_the_wrong_kind_is_told(bioner: Command, store: Path, named: str, param: str) -> None:
    """Catches a time that is compared as text, so that nothing is ever newer than `yesterday`."""
    done = bioner("query", "--store", store, "--named", named, "--param", param)
    assert done.code == 2
    assert param.partition("=")[2] in done.err
    assert len(done.err.strip().splitlines()) <= 2


def test_times_of_other_zones_are_the_same_times(bioner: Command, store: Path) -> None:
    """Catches a time east of Greenwich that leaves out what came in its last hours."""
    words = ("query", "--store", store, "--named", "changed_since", "--format", "json", "--param")
    [committed, *_] = json.loads(bioner(*words, "since=2020-01-01").out)["rows"]
    assert json.loads(bioner(*words, "since=2999-01-01T00:00:00+08:00").out)["rows"] == []
    hour = committed["committed"][:10]
    assert json.loads(bioner(*words, f"since={hour}T00:00:00+23:00").out)["rows"]


def test_documents_without_a_year_count(bioner: Command, store: Path) -> None:
    """Catches the most mentioned entities without those of every document that has no year."""
    found = json.loads(bioner("query", "--store", store, "--named", "top_entities", "--format", "json").out)["rows"]
    assert {row["year"] for row in found} == {"", "2025"}
    words = ("--param", "from_year=2000")
    years = json.loads(bioner("query", "--store", store, "--named", "top_entities", "--format", "json", *words).out)
    assert {row["year"] for row in years["rows"]} == {"2025"}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1"])
def test_no_cell_becomes_a_formula(bioner: Command, store: Path, text: str) -> None:
    """Catches a title that a spreadsheet runs."""
    sql = f"SELECT '{text}' AS a, -5 AS b, 'x=1' AS c"
    words = ("query", "--store", store, sql, "--format", "csv")
    [_, row] = csv.reader(io.StringIO(bioner(*words).out, newline=""))
    assert row == ["'" + text, "-5", "x=1"]
    [_, row] = csv.reader(io.StringIO(bioner(*words, "--raw").out, newline=""))
    assert row == [text, "-5", "x=1"]


def test_values_out_of_range_are_told(bioner: Command, store: Path) -> None:
    """Catches a traceback for a date that Python does not know."""
    done = bioner("query", "--store", store, "SELECT * FROM test_all_types() LIMIT 1")
    assert done.code == 2
    assert "Traceback" not in done.err
    assert "VARCHAR" in done.err


def test_a_question_without_end_is_given_up(bioner: Command, store: Path) -> None:
    """Catches a query that holds the processor for ever."""
    endless = "SELECT count(*) FROM range(1000000000) AS a, range(1000000000) AS b WHERE (a.range * b.range) % 7 = 3"
    done = bioner("query", "--store", store, endless, "--timeout", "1")
    assert done.code == 2
    assert "--timeout" in done.err


def test_a_lone_carriage_return_ends_no_row(bioner: Command, store: Path) -> None:
    """Catches a title with a carriage return that is two rows for whoever reads the CSV."""
    words = ("query", "--store", store, "SELECT 'a' || chr(13) || 'b' AS t, 2 AS n", "--format", "csv")
    assert bioner(*words).out == 't,n\n"a\rb",2\n'


@pytest.mark.parametrize("answer_format", ["json", "csv"])
def test_numbers_that_json_lacks_are_null_however_deep(bioner: Command, store: Path, answer_format: str) -> None:
    """Catches NaN within a list or struct, which is no JSON."""
    sql = "SELECT ['nan'::DOUBLE, 1] AS x, {'a': ['-inf'::DOUBLE]} AS y"
    out = bioner("query", "--store", store, sql, "--format", answer_format).out
    if answer_format == "json":
        [row] = json.loads(out, parse_constant=pytest.fail)["rows"]
    else:
        [cells] = csv.DictReader(io.StringIO(out))
        row = {name: json.loads(cell, parse_constant=pytest.fail) for name, cell in cells.items()}
    assert row == {"x": [None, 1.0], "y": {"a": [None]}}


def test_what_parquet_cannot_hold_is_told(bioner: Command, store: Path, tmp_path: Path) -> None:
    """Catches a traceback for a type that Parquet lacks, and a file that looks like an answer."""
    path = tmp_path / "answer.parquet"
    done = bioner("query", "--store", store, "SELECT INTERVAL 1 DAY AS i", "--format", "parquet", "--output", path)
    assert (done.code, path.exists()) == (2, False)
    assert "cast it to VARCHAR" in done.err
    assert "Traceback" not in done.err
