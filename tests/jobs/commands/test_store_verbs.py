"""`status`, `verify` and `mentions` over a small store."""

import json
from pathlib import Path

import pytest
from job_commands import Command
from job_stores import CHINESE, word_store

from bioner_core.store.compaction.compact import compact_store
from bioner_core.store.layout import Store
from bioner_core.store.reading import table_files
from tests.bioner_core.export.awkward_store import commit, document, mentions_of, withdraw


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that no test of this module changes."""
    return word_store(tmp_path_factory.mktemp("words"))


@pytest.mark.parametrize("verb", ["status", "verify", "mentions"])
def test_json_is_one_object_and_nothing_else(bioner_process: Command, store: Path, verb: str) -> None:
    """Catches progress, logs or a second line on standard output."""
    done = bioner_process(verb, "--store", store, "--json")
    assert done.code == 0
    assert done.out.count("\n") == 1
    assert isinstance(json.loads(done.out), dict)


def test_status_shows_the_sums_of_the_manifests(bioner: Command, store: Path) -> None:
    """Catches counts that are not those of the store."""
    found = json.loads(bioner("status", "--store", store, "--json").out)
    assert (found["records_in"], found["annotated"], found["shards_committed"]) == (4, 4, 2)
    assert "4 = 4 annotated + 0 unchanged + 0 deleted + 0 rejected" in bioner("status", "--store", store).out


@pytest.mark.slow
def test_text_that_is_lost_is_said_by_annotate_and_status(bioner: Command, tmp_path: Path) -> None:
    """Catches a count of lost text that ends in the reader, so that no user ever hears of it."""
    text = "Of livers, seen in twelve animals of which none was seen before, over and over again. " * 3
    citation = f"<PMID>5</PMID><Article><ArticleTitle>{text}</ArticleTitle><Lay>In words.</Lay></Article>"
    (tmp_path / "in.xml").write_text(
        f"<MedlineCitationSet><MedlineCitation>{citation}</MedlineCitation></MedlineCitationSet>"
    )
    words = ("--store", tmp_path / "store", "--annotator", "null")
    done = bioner("annotate", tmp_path / "in.xml", *words, "--json")
    found = json.loads(done.out)
    assert (found["lossy"], found["lost_characters"], found["annotated"]) == (1, 8, 1)
    assert "8 characters of 1 document in no passage" in done.err
    assert "8 characters of 1 document" in bioner("status", "--store", tmp_path / "store").out


def test_verify_finds_a_sound_store_sound(bioner: Command, store: Path) -> None:
    """Catches a verdict that does not follow from the report."""
    done = bioner("verify", "--store", store)
    assert (done.code, done.out.split(":")[0]) == (0, "sound")


def test_verify_ends_with_1_when_a_file_was_changed(bioner: Command, tmp_path: Path) -> None:
    """Catches a check that anyone can run and that always passes."""
    store = word_store(tmp_path)
    damaged = next(table_files(Store(store), "mentions"))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    done = bioner("verify", "--store", store, "--json")
    found = json.loads(done.out)
    assert (done.code, found["sound"]) == (1, False)
    assert damaged.name in found["faults"][0]
    assert "NOT sound" in bioner("verify", "--store", store).out


def test_mentions_indents_what_is_nested_and_shows_both_sources(bioner: Command, store: Path) -> None:
    """Catches a table without nesting, or one that fills up from one source before the other has a turn."""
    out = bioner("mentions", "--store", store, "--limit", 2).out
    assert "jsonl:e0" in out
    assert CHINESE in out
    lines = out.splitlines()
    parent = next(number for number, line in enumerate(lines) if line.startswith("CD28 "))
    assert lines[parent + 1].startswith("  └ C ")
    assert "jsonl:e1" not in out


def test_mentions_leaves_out_what_it_is_told_to(bioner: Command, store: Path) -> None:
    """Catches --accepted or --nested without effect."""
    everything = json.loads(bioner("mentions", "--store", store, "--json").out)["documents"]
    accepted = json.loads(bioner("mentions", "--store", store, "--accepted", "--json").out)["documents"]
    assert {one["accepted"] for document in everything for one in document["mentions"]} == {True, False}
    assert {one["accepted"] for document in accepted for one in document["mentions"]} == {True}
    nested = json.loads(bioner("mentions", "--store", store, "--nested", "--json").out)["documents"]
    assert {document["doc_id"] for document in nested} == {document["doc_id"] for document in accepted}
    assert all(any(one["depth"] for one in document["mentions"]) for document in nested)


def test_a_dump_cannot_steer_the_terminal(bioner: Command, store: Path) -> None:
    """Catches control characters, or markup of the table library, that go through from a dump's text."""
    out = bioner("mentions", "--store", store, "--limit", 9).out
    assert "\x1b" not in out
    assert "\\x1b[2J[bold]red" in out


def test_an_empty_store_is_said_to_have_no_mentions(bioner: Command, tmp_path: Path) -> None:
    """Catches an empty table, or an error, where there is just nothing yet."""
    (tmp_path / "manifests").mkdir()
    done = bioner("mentions", "--store", tmp_path)
    assert (done.code, done.out) == (0, "no such mentions in this store\n")


@pytest.mark.parametrize("is_compacted", [False, True])
def test_mentions_shows_the_newest_version_alone(bioner: Command, tmp_path: Path, is_compacted: bool) -> None:
    """Catches withdrawn documents, and what a correction has replaced, shown as if they were of the literature."""
    made = tmp_path / "store"
    texts = {"pubmed:1": "CD28 old", "pubmed:2": "CD28 gone", "pubmed:3": "CD28 stays"}
    for name, words in (("a.xml", texts), ("b.xml", {"pubmed:1": "CD28 new"})):
        documents = [
            document(doc_id, ("title", text), record_number=number, version=1 + (name == "b.xml"))
            for number, (doc_id, text) in enumerate(words.items())
        ]
        commit(made, [(one, mentions_of(one, [("CD28", "genia", "protein", True)])) for one in documents], name=name)
    withdraw(made, ["pubmed:2"], name="c.xml")
    if is_compacted:
        compact_store(Store(made))
    shown = json.loads(bioner("mentions", "--store", made, "--limit", 9, "--json").out)["documents"]
    assert [(one["doc_id"], one["version"]) for one in shown] == [("pubmed:1", 2), ("pubmed:3", 1)]
