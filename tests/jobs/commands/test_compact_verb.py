"""`bioner compact` and `bioner query` as a user types them."""

import csv
import io
import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from job_commands import Command
from job_stores import CHINESE, HOSTILE, word_store

from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store
from bioner_core.store.query.query_views import VIEWS

STORE_PAGE = Path(__file__).resolve().parents[3] / "docs" / "store.md"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that no test of this module changes."""
    return word_store(tmp_path_factory.mktemp("words"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place for answers."""
    return tmp_path_factory.mktemp("answers")


def test_compact_says_what_it_made_and_then_that_there_is_nothing_to_do(bioner: Command, tmp_path: Path) -> None:
    """Catches counts that are not those of the snapshot, and a rerun that does the work again."""
    store = word_store(tmp_path)
    first = json.loads(bioner("compact", "--store", store, "--memory", "256MB", "--json").out)
    assert (first["made"], first["documents"], first["shards"]) == (True, 4, 2)
    again = bioner("compact", "--store", store, "--memory", "256MB")
    assert (again.code, "nothing to do" in again.out, first["snapshot_id"] in again.out) == (0, True, True)
    lineage = ["--named", "lineage", "--param", "mention=jsonl:e0@1:p0:0-4:genia:word", "--format", "json"]
    [row] = json.loads(bioner("query", "--store", store, *lineage).out)["rows"]
    assert (row["input_file"].endswith("en.jsonl"), row["record_number"], row["job"]) == (True, 0, "annotate")
    assert row["run_id"] == next(iter(sorted((store / "jobs").iterdir()))).stem


def test_compact_waits_for_nobody_unless_told(bioner: Command, tmp_path: Path) -> None:
    """Catches a compaction beside a job that commits and sweeps."""
    store = word_store(tmp_path)
    with StoreLock(Store(store), purpose="bioner annotate"):
        done = bioner("compact", "--store", store)
    assert done.code == 1
    assert "another job is at work" in done.err
    assert not (store / "snapshots").exists()


@pytest.mark.parametrize("size", ["much", "1MB", "-2GB"])
def test_a_wrong_size_is_wrong_usage(bioner: Command, store: Path, size: str) -> None:
    """Catches a limit that DuckDB would not understand, or that no sort can keep."""
    done = bioner("compact", "--store", store, f"--memory={size}")
    assert (done.code, "--memory" in done.err) == (2, True)


def test_a_store_that_is_not_there_is_wrong_usage(bioner: Command, tmp_path: Path) -> None:
    """Catches an empty answer where the path is mistyped."""
    for verb in (["compact"], ["query", "SELECT 1"]):
        assert bioner(*verb, "--store", tmp_path / "no").code == 2


def test_a_store_without_snapshot_is_queried_with_a_note(bioner: Command, store: Path) -> None:
    """Catches a query that fails before the first compaction, or that hides what it reads."""
    done = bioner("query", "--store", store, "SELECT count(*) AS n FROM documents", "--format", "csv")
    assert (done.code, done.out) == (0, "n\n4\n")
    assert "no snapshot" in done.err


def test_json_is_one_object_in_a_process_of_its_own(bioner_process: Command, store: Path) -> None:
    """Catches notes on standard output, and values that JSON does not know."""
    sql = "SELECT 'nan'::DOUBLE AS a, sum(depth) AS b, DATE '2026-01-02' AS c, ['é'] AS d FROM candidates"
    done = bioner_process("query", "--store", store, sql, "--format", "json")
    assert json.loads(done.out)["rows"][0].keys() == {"a", "b", "c", "d"}
    row = json.loads(done.out)["rows"][0]
    assert (row["a"], row["c"], row["d"]) == (None, "2026-01-02", ["é"])
    assert isinstance(row["b"], int)


def test_every_format_has_the_same_rows(bioner: Command, store: Path, folder: Path) -> None:
    """Catches a row or a character that is lost on its way into one of the formats."""
    sql = "SELECT mention_id, text, accepted FROM candidates ORDER BY mention_id"
    words = ["query", "--store", store, sql, "--output"]
    assert bioner(*words, folder / "a.parquet", "--format", "parquet").code == 0
    rows = pq.read_table(folder / "a.parquet").to_pylist()
    assert any(row["text"] == CHINESE for row in rows)
    assert bioner(*words, folder / "a.json", "--format", "json").code == 0
    assert json.loads((folder / "a.json").read_text())["rows"] == rows
    found = bioner("query", "--store", store, sql, "--format", "csv").out
    assert [row["text"] for row in csv.DictReader(io.StringIO(found))] == [row["text"] for row in rows]
    assert str(HOSTILE.split(" ")[0]) in bioner("query", "--store", store, sql).out


def test_a_table_cannot_steer_the_terminal(bioner: Command, store: Path) -> None:
    """Catches control characters and markup of a dump that reach the terminal."""
    out = bioner("query", "--store", store, "SELECT passages FROM documents").out
    assert "\x1b" not in out
    assert "[bold]" in out


def test_a_long_table_says_what_it_leaves_out(bioner: Command, store: Path) -> None:
    """Catches rows that go missing in silence."""
    assert "... and 5 more rows" in bioner("query", "--store", store, "SELECT * FROM range(1005)").out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "either one SELECT or --named"),
        (["SELECT 1", "--named", "dropped"], "either one SELECT or --named"),
        (["SELECT 1", "--format", "parquet"], "--output"),
        (["--named", "dropped", "--param", "type"], "NAME=VALUE"),
        (["--named", "no"], "top_entities"),
        (["DROP VIEW documents"], "one SELECT"),
        (["SELECT nothing"], "cannot be answered"),
    ],
)
def test_wrong_questions_are_wrong_usage(bioner: Command, store: Path, words: list[str], message: str) -> None:
    """Catches a traceback, or a message that does not say what to do."""
    done = bioner("query", "--store", store, *words)
    assert (done.code, message in done.err) == (2, True)


def test_the_ready_questions_and_the_views_are_listed(bioner: Command) -> None:
    """Catches a list without what can be set, and a view that neither the list, the help nor the page names."""
    out = bioner("query", "--list").out
    page = STORE_PAGE.read_text(encoding="utf-8")
    (sentence,) = re.findall(r"in DuckDB: the views (.*?)\. Exactly one SELECT", page, re.DOTALL)
    assert set(re.findall(r"`(\w+)`", sentence)) == set(VIEWS)
    assert not [name for name, content in VIEWS.items() if f"    {name}: {content}\n" not in out]
    assert not set(VIEWS) - set(re.findall(r"\w+", bioner("query", "--help").out))
    assert "lineage: Where a mention comes from" in out
    assert "    mention: its mention_id (needed)" in out
