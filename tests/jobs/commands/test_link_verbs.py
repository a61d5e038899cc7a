"""`bioner vocabulary`, `bioner link` and `bioner evaluate --links` as a user types them."""

import json
from pathlib import Path

import pytest
from job_commands import Command
from job_stores import word_store

from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of the test's own."""
    monkeypatch.setenv("BIONER_CACHE", str(tmp_path / "cache"))


def build(bioner: Command, tmp_path: Path, *, name: str = "mine") -> None:
    """A vocabulary of one word of the store."""
    (tmp_path / "mine.csv").write_text("id,name,synonyms\nT:1,CD28 antigen,CD28\nT:2,肺炎,肺炎患者\n", encoding="utf-8")
    done = bioner("vocabulary", "build", tmp_path / "mine.csv", "--name", name, "--version", "7", "--licence", "CC0")
    assert done.code == 0


def test_a_vocabulary_is_built_listed_and_shown(bioner: Command, tmp_path: Path) -> None:
    """Catches a licence or version that is lost, and a name that the page does not find."""
    build(bioner, tmp_path)
    listed = json.loads(bioner("vocabulary", "list", "--json").out)
    [page] = listed["vocabularies"]
    assert (page["name"], page["version"], page["licence"], page["names"]) == ("mine", "7", "CC0", 4)
    assert {"mesh", "hgnc"} <= {one["name"] for one in listed["pullable"]}
    assert "not pulled" in bioner("vocabulary", "list").out
    shown = json.loads(bioner("vocabulary", "show", "mine", "--name", "cd28", "--json").out)
    assert [one["concept_id"] for one in shown["matches"]] == ["T:1"]
    assert "no concept has this name" in bioner("vocabulary", "show", "mine", "--name", "nothing").out


def test_a_bad_vocabulary_is_named_and_hides_no_other(bioner: Command, tmp_path: Path) -> None:
    """Catches a `list` that ends at one vocabulary of another version, and advice that cannot be followed."""
    for name in ("mine", "ours"):
        build(bioner, tmp_path, name=name)
    page = tmp_path / "cache" / "vocabularies" / "mine" / "vocabulary.json"
    page.write_text(page.read_text().replace('"keys_version": "', '"keys_version": "0'))
    listed = bioner("vocabulary", "list", "--json")
    assert (listed.code, [one["name"] for one in json.loads(listed.out)["vocabularies"]]) == (0, ["ours"])
    assert "warning:" in listed.err
    assert "--replace" in listed.err
    again = bioner("vocabulary", "build", tmp_path / "mine.csv", "--name", "mine", "--replace", "--json")
    assert (again.code, json.loads(again.out)["concepts"]) == (0, 2)
    assert "warning" not in bioner("vocabulary", "list").err


def test_a_bad_file_is_named_with_its_line(bioner: Command, tmp_path: Path) -> None:
    """Catches a traceback, or a vocabulary that is made of half a file."""
    (tmp_path / "bad.csv").write_text("id,name\nno curie,x\n")
    done = bioner("vocabulary", "build", tmp_path / "bad.csv", "--name", "bad")
    assert (done.code, "bad.csv, line 2" in done.err) == (1, True)
    gone = bioner("vocabulary", "build", tmp_path / "gone.csv", "--name", "bad")
    assert (gone.code, "gone.csv" in gone.err) == (2, True)
    assert bioner("vocabulary", "pull", "nothing").code == 2


def test_a_store_is_linked_and_asked(bioner: Command, tmp_path: Path) -> None:
    """Catches counts that are not those of the links, and links that a query cannot see."""
    store = word_store(tmp_path)
    build(bioner, tmp_path)
    report = json.loads(bioner("link", "--store", store, "--vocabulary", "mine", "--json").out)
    assert (report["documents"], report["vocabularies"].keys()) == (4, {"mine"})
    assert 0 < report["linked"] < report["mentions"]
    assert sum(report["by_method"].values()) == report["mentions"]
    assert "mentions of 4 documents linked" in bioner("link", "--store", store, "--vocabulary", "mine").out
    sql = "SELECT concept_id, count(*) AS n FROM links WHERE rank = 1 GROUP BY ALL ORDER BY ALL"
    rows = json.loads(bioner("query", "--store", store, sql, "--format", "json").out)["rows"]
    assert sum(row["n"] for row in rows) == report["mentions"]
    assert {"T:1", "T:2"} <= {row["concept_id"] for row in rows}
    named = bioner("query", "--store", store, "--named", "top_concepts", "--format", "json")
    assert {row["concept_id"] for row in json.loads(named.out)["rows"]} == {"T:1", "T:2"}


def test_wrong_usage_says_what_to_do(bioner: Command, tmp_path: Path) -> None:
    """Catches a mistyped vocabulary that links nothing, and a run beside a job that commits."""
    store = word_store(tmp_path)
    done = bioner("link", "--store", store, "--vocabulary", "gone")
    assert (done.code, "vocabulary pull" in done.err) == (2, True)
    build(bioner, tmp_path)
    with StoreLock(Store(store), purpose="bioner annotate"):
        assert "another job" in bioner("link", "--store", store, "--vocabulary", "mine").err
    assert not (store / "links").exists()


def test_links_are_scored_on_gold(bioner: Command, tmp_path: Path) -> None:
    """Catches --links that loads a model, or scores without concepts."""
    build(bioner, tmp_path)
    entity = {"start": 0, "end": 4, "type": "Gene", "text": "CD28", "concept": "T:1"}
    gold = tmp_path / "gold.jsonl"
    gold.write_text(json.dumps({"id": "1", "lang": "en", "text": "CD28 binds", "entities": [entity]}) + "\n")
    report = json.loads(bioner("evaluate", "--data", gold, "--links", "--vocabulary", "mine", "--json").out)
    assert (report["accuracy"], report["mentions"], report["by_type"]["Gene"]["right"]) == (1.0, 1, 1)
    assert "of known" in bioner("evaluate", "--data", gold, "--links", "--vocabulary", "mine").out
    assert "--vocabulary" in bioner("evaluate", "--data", gold, "--links").err
    assert "--label-set" in bioner("evaluate", "--data", gold).err
