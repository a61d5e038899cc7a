"""`bioner publish`: Delta tables that other engines read, in a folder and on S3 over loopback."""

import json
from pathlib import Path

import duckdb
import polars
import pytest
from job_commands import Command
from job_stores import word_store

from bioner_core.publish.delta import publish_delta
from bioner_core.store.compaction.compact import compact_store
from bioner_core.store.layout import Store
from bioner_core.store.snapshot.snapshot_manifest import current_id
from tests.stored_rows import mention_rows

deltalake = pytest.importorskip("deltalake", reason="the extra `publish` is not installed")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with a snapshot."""
    made = Store(word_store(tmp_path))
    compact_store(made)
    return made


def test_what_is_published_is_what_the_store_holds_and_is_written_once(
    store: Store, tmp_path: Path, bioner: Command
) -> None:
    """Catches rows lost on the way, and a nightly job that writes all tables again though nothing is new."""
    words = ("publish", "--store", store.root, "--delta", tmp_path / "lake", "--json")
    first, second = json.loads(bioner(*words).out), json.loads(bioner(*words).out)
    assert first["snapshot"] == current_id(store)
    assert {one["table"] for one in first["tables"]} >= {"documents", "mentions", "rejects", "shards", "entity_pairs"}
    assert all(one["was_written"] for one in first["tables"])
    assert not any(one["was_written"] for one in second["tables"])
    table = deltalake.DeltaTable(tmp_path / "lake" / "mentions")
    ours = sorted(one.mention_id for one in mention_rows(store))
    assert sorted(table.to_pyarrow_table()["mention_id"].to_pylist()) == ours
    assert sorted(polars.read_delta(str(tmp_path / "lake" / "mentions"))["mention_id"]) == ours
    rows = table.to_pyarrow_dataset()
    assert duckdb.from_arrow(rows).aggregate("count(*)").fetchall() == [(len(ours),)]
    assert all(field.metadata.get("comment") for field in table.schema().fields)


def test_links_are_published_when_there_are_any(
    store: Store, tmp_path: Path, bioner: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches concepts that stay behind, and a new link run that is not noticed because the snapshot is the same."""
    monkeypatch.setenv("BIONER_CACHE", str(tmp_path / "cache"))
    (tmp_path / "mine.csv").write_text("id,name,synonyms\nT:1,CD28,\n", encoding="utf-8")
    assert bioner("vocabulary", "build", tmp_path / "mine.csv", "--name", "mine", "--licence", "CC0").code == 0
    for version in range(2):
        assert bioner("link", "--store", store.root, "--vocabulary", "mine").code == 0
        done = {one.table: one for one in publish_delta(store, str(tmp_path / "lake")).tables}
        assert (done["links"].was_written, done["links"].version) == (True, version)
        assert done["documents"].was_written == (version == 0)
    concepts = polars.read_delta(str(tmp_path / "lake" / "links"))["concept_id"]
    assert "T:1" in concepts.to_list()


def test_wrong_commands_say_what_to_do(store: Store, tmp_path: Path, bioner: Command) -> None:
    """Catches a traceback for a mistyped table, a store without a snapshot, or a target that is a file."""
    (tmp_path / "file").write_text("x")
    wrong = bioner("publish", "--store", store.root, "--delta", tmp_path / "lake", "--table", "mention")
    assert wrong.code == 2
    assert "is not one of documents, mentions" in wrong.err
    (store.root / "CURRENT").unlink()
    none = bioner("publish", "--store", store.root, "--delta", tmp_path / "lake")
    assert none.code == 2
    assert "bioner compact" in none.err
    assert not (tmp_path / "lake").exists()


def test_a_target_that_is_a_file_is_told(store: Store, tmp_path: Path, bioner: Command) -> None:
    """Catches a traceback of the library where a folder cannot be made."""
    (tmp_path / "file").write_text("x")
    wrong = bioner("publish", "--store", store.root, "--delta", tmp_path / "file")
    assert wrong.code == 1
    assert "cannot be written" in wrong.err
    assert "Traceback" not in wrong.err
