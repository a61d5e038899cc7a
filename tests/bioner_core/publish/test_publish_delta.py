"""Delta tables of a snapshot: one version per snapshot, never back, in a folder and on S3 over loopback."""

import json
import shutil
from pathlib import Path

import polars
import pytest
from job_stores import WordService, null_job, word_store

from bioner_core.errors import ConfigurationError, DamagedFileError
from bioner_core.linking.linker import Linker
from bioner_core.publish import delta
from bioner_core.publish.delta import check_target, publish_delta
from bioner_core.store.compaction.compact import compact_store
from bioner_core.store.layout import Store
from bioner_core.store.snapshot.snapshot_manifest import current_id, make_current
from bioner_core.store.snapshot.snapshot_schemas import FLAT_TABLES
from pipelines.annotate import run_annotation
from tests.bioner_core.concept_samples import made_vocabulary
from tests.bioner_core.export.awkward_store import commit, document, mentions_of
from tests.bioner_core.linking.linked_concepts import link_alone
from tests.conftest import S3Bucket
from tests.stored_rows import mention_rows

deltalake = pytest.importorskip("deltalake", reason="the extra `publish` is not installed")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with a snapshot."""
    made = Store(word_store(tmp_path))
    compact_store(made)
    return made


def _add_document(store: Store, folder: Path) -> None:
    """One more document, and a snapshot with it."""
    more = folder / "more.jsonl"
    more.write_text(json.dumps({"id": "later", "text": "CD40 binds"}) + "\n", encoding="utf-8")
    job = null_job(store.root, more, fingerprint="words")
    run_annotation(job, service_factory=WordService)
    compact_store(store)


def test_each_snapshot_is_a_version_and_earlier_ones_stay(store: Store, tmp_path: Path) -> None:
    """Catches a second snapshot that is appended to the first, and a first one that cannot be read any more."""
    target = str(tmp_path / "lake")
    before = len(list(mention_rows(store)))
    publish_delta(store, target, tables=["mentions"])
    _add_document(store, tmp_path)
    [done] = publish_delta(store, target, tables=["mentions"]).tables
    table = deltalake.DeltaTable(f"{target}/mentions")
    assert (done.version, table.count()) == (1, len(list(mention_rows(store))))
    assert table.history(1)[0]["bioner.snapshot"] == current_id(store)
    table.load_as_version(0)
    assert table.count() == before < done.rows


@pytest.mark.parametrize("table", ["mentions", "shards"])
def test_a_damaged_table_is_not_published(store: Store, tmp_path: Path, table: str) -> None:
    """Catches rows that a disk has changed, published for good: Parquet's checksums do not cover a footer."""
    path = next(store.folder.glob(f"snapshots/*/{table}/**/*.parquet"))
    before = path.read_bytes()
    place = before.rindex(b"parquet-cpp-arrow")
    path.write_bytes(before[:place] + b"q" + before[place + 1 :])
    with pytest.raises(DamagedFileError, match="has changed since it was written"):
        publish_delta(store, str(tmp_path / "lake"), tables=[table])
    path.write_bytes(before)
    assert [one.was_written for one in publish_delta(store, str(tmp_path / "lake"), tables=[table]).tables] == [True]


def test_an_older_snapshot_never_replaces_a_newer_one(store: Store, tmp_path: Path) -> None:
    """Catches a job that was late and takes the tables back to last week."""
    old = current_id(store)
    _add_document(store, tmp_path)
    publish_delta(store, str(tmp_path / "lake"), tables=["documents"])
    assert old is not None
    make_current(store, old)
    with pytest.raises(ConfigurationError, match="newer state"):
        publish_delta(store, str(tmp_path / "lake"), tables=["documents"])


def test_a_table_of_an_earlier_version_gets_the_new_columns(store: Store, tmp_path: Path) -> None:
    """Catches an upgrade that cannot publish into the tables of the version before, or that drops its columns there."""
    target = tmp_path / "lake" / "mentions"
    rows = [{"mention_id": "m", "gone": 1}]
    transaction = deltalake.Transaction("bioner", 1)
    deltalake.write_deltalake(
        target,
        polars.DataFrame(rows).to_arrow(),
        commit_properties=deltalake.CommitProperties(app_transactions=[transaction]),
    )
    publish_delta(store, str(tmp_path / "lake"), tables=["mentions"])
    table = deltalake.DeltaTable(target)
    names = {field.name for field in table.schema().fields}
    assert "origin" in names
    assert "gone" not in names
    table.load_as_version(0)
    assert table.to_pyarrow_table().to_pylist() == rows


def test_a_publication_that_was_cut_off_is_completed(store: Store, tmp_path: Path) -> None:
    """Catches a run that begins anew, or takes what is there for all, after it was stopped between two tables."""

    def stop_after(table: str) -> None:
        if table == "mentions":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publish_delta(store, str(tmp_path / "lake"), on_table=stop_after)
    tables = publish_delta(store, str(tmp_path / "lake")).tables
    assert [one.table for one in tables if not one.was_written] == ["documents", "mentions"]


def test_a_missing_package_is_named(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a traceback where the extra was not installed."""
    monkeypatch.setattr(delta, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"deltalake: in the checkout, pip install -e '\.\[publish\]'"):
        publish_delta(store, str(tmp_path / "lake"))


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("ftp://host/lake", "ftp:// is not one of"),
        ("s3://key:secret@bucket/lake", "credentials"),
        ("{store}/documents", "inside the store"),
    ],
)
def test_a_target_that_cannot_be_is_refused(store: Store, target: str, said: str) -> None:
    """Catches a store that is written over, a secret that reaches a log, and a scheme that fails after an hour."""
    with pytest.raises(ConfigurationError, match=said) as caught:
        check_target(store, target.format(store=store))
    assert "secret" not in str(caught.value)


def test_a_bucket_holds_the_same_tables(store: Store, s3_bucket: S3Bucket) -> None:
    """Catches a target on object storage that is taken for a folder `s3:`, or a commit that is written twice there."""
    target = f"{s3_bucket.url}/literature"
    first = publish_delta(store, target, tables=["documents", "mentions"])
    again = publish_delta(store, target, tables=["documents", "mentions"])
    assert [one.was_written for one in (*first.tables, *again.tables)] == [True, True, False, False]
    assert deltalake.DeltaTable(f"{target}/mentions").count() == len(list(mention_rows(store)))
    assert not Path("s3:").exists()


def _commit_nested(store: Store, name: str, *, is_nested: bool) -> None:
    """One document, with or without entities inside and beside others, and a snapshot of it."""
    one = document("pubmed:1", ("title", "CD28 surface receptor and IL-2"))
    inner = [(text, "genia", "protein", True) for text in ("CD28", "IL-2")] if is_nested else []
    commit(
        store.folder,
        [(one, mentions_of(one, [("CD28 surface receptor", "genia", "protein", True), *inner]))],
        name=name,
    )
    compact_store(store)


def test_counts_that_become_empty_are_published_as_such(tmp_path: Path) -> None:
    """Catches pairs of entities of last week in the lake, since no mention is inside or beside another any more."""
    store, target = Store(tmp_path / "store"), str(tmp_path / "lake")
    _commit_nested(store, "a.xml", is_nested=True)
    rows = {one.table: one.rows for one in publish_delta(store, target).tables}
    assert rows["nested_entities"] and rows["entity_pairs"]  # noqa: PT018 - of one table of counts
    _commit_nested(store, "b.xml", is_nested=False)
    rows = {one.table: one.rows for one in publish_delta(store, target).tables}
    assert (rows["nested_entities"], rows["entity_pairs"], rows["entity_years"]) == (0, 0, 1)
    shown = {name: deltalake.DeltaTable(f"{target}/{name}").history(1)[0]["bioner.snapshot"] for name in FLAT_TABLES}
    assert set(shown.values()) == {current_id(store)}


def test_another_store_is_refused_and_a_moved_one_is_not(store: Store, tmp_path: Path) -> None:
    """Catches the tables of one store that another overwrites without a word, since its snapshot is later."""
    target = str(tmp_path / "lake")
    publish_delta(store, target, tables=["documents"])
    other = Store(tmp_path / "other")
    _commit_nested(other, "a.xml", is_nested=True)
    with pytest.raises(ConfigurationError, match="tables of another store"):
        publish_delta(other, target, tables=["documents"])
    moved = Store(tmp_path / "moved")
    shutil.move(store.folder, moved.folder)
    _add_document(moved, tmp_path)
    for snapshot in (moved.snapshots, moved.current):  # as after damage; the oldest shard is still there
        shutil.rmtree(snapshot) if snapshot.is_dir() else snapshot.unlink()
    compact_store(moved)
    [done] = publish_delta(moved, target, tables=["documents"]).tables
    assert (done.version, done.was_written) == (1, True)


def test_tables_from_before_stores_had_ids_are_taken_over(store: Store, tmp_path: Path) -> None:
    """Catches a target of an earlier version that nobody can publish into any more."""
    target = tmp_path / "lake" / "documents"
    transaction = deltalake.Transaction("bioner", 1)
    deltalake.write_deltalake(
        target,
        polars.DataFrame({"doc_id": ["a"]}).to_arrow(),
        commit_properties=deltalake.CommitProperties(app_transactions=[transaction]),
    )
    [done] = publish_delta(store, str(tmp_path / "lake"), tables=["documents"]).tables
    assert done.was_written
    assert deltalake.DeltaTable(target).history(1)[0]["bioner.store"]


def test_links_say_of_what_state_they_are(store: Store, tmp_path: Path) -> None:
    """Catches links of last week that nobody can tell from those of the snapshot beside them."""
    link_alone(store, Linker([made_vocabulary(tmp_path)]))
    publish_delta(store, str(tmp_path / "lake"), tables=["links"])
    said = deltalake.DeltaTable(str(tmp_path / "lake" / "links")).history(1)[0]
    assert said["bioner.links_of"] == f"snapshot:{current_id(store)}"
