"""`bioner publish`: Delta tables that other engines read, in a folder and on S3 over loopback."""

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars
import pytest
from job_commands import Command
from job_stores import WordService, null_job, word_store

from bioner_core.errors import ConfigurationError
from bioner_core.publish.delta import check_target, publish_delta
from bioner_core.store.compaction.compact import compact_store
from bioner_core.store.layout import Store
from bioner_core.store.reading import mention_rows
from bioner_core.store.snapshot.snapshot_manifest import current_id, make_current
from pipelines.annotate import run_annotation

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


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket of a real S3 protocol on loopback."""
    server = pytest.importorskip("moto.server", reason="moto is not installed")
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    running.start()
    host, port = running.get_host_and_port()
    told = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_REGION": "us-east-1",
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3", endpoint_url=told["AWS_ENDPOINT_URL"], region_name="us-east-1").create_bucket(Bucket="lake")
    yield "s3://lake/literature"
    running.stop()


def test_a_bucket_holds_the_same_tables(store: Store, bucket: str) -> None:
    """Catches a target on object storage that is taken for a folder `s3:`, or a commit that is written twice there."""
    first = publish_delta(store, bucket, tables=["documents", "mentions"])
    again = publish_delta(store, bucket, tables=["documents", "mentions"])
    assert [one.was_written for one in (*first.tables, *again.tables)] == [True, True, False, False]
    assert deltalake.DeltaTable(f"{bucket}/mentions").count() == len(list(mention_rows(store)))
    assert not Path("s3:").exists()
