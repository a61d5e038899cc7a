"""Reading a store on object storage: by ranges, the same rows as from a folder, and nothing but the store."""

import random
from pathlib import Path

import pytest
from little_stores import Event, commit_input, newest
from store_samples import descriptor, document, writer

from bioner_core.errors import ConfigurationError
from bioner_core.store.compaction.compact import CompactionSettings, compact_store
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Counts
from bioner_core.store.newest import open_newest
from bioner_core.store.objects.object_path import ObjectPath
from bioner_core.store.query.query_session import query_session
from bioner_core.store.snapshot.snapshot_reading import open_snapshot
from devtools.object_service import ObjectService

MEMORY = 256 * 1024**2
_DOCUMENTS = 2_500


@pytest.mark.parametrize("compacted", [False, True])
def test_queries_read_objects_of_the_store_and_nothing_else(
    object_store: Store, tmp_path: Path, compacted: bool
) -> None:
    """Catches a query that reads other objects, other files, the network, or writes, and answers of other rows."""
    for store in (object_store, Store(tmp_path)):
        commit_input(store.root, 1, [Event(11, words=3), Event(12), Event(13)])
        commit_input(store.root, 2, [Event(11, words=1), Event(12, deleted=True)])
        if compacted:
            compact_store(store, CompactionSettings(memory_bytes=MEMORY))
    manifest = next(iter(object_store.manifests.iterdir()))
    question = "SELECT doc_id, text, type FROM mentions ORDER BY ALL"
    with (
        query_session(object_store, memory_bytes=MEMORY) as session,
        query_session(Store(tmp_path), memory_bytes=MEMORY) as local,
    ):
        assert session.ask(question).read_all() == local.ask(question).read_all()
        for sql in (
            "SELECT * FROM read_json('{manifest}')",
            "SELECT * FROM read_text('{store}/CURRENT')",
            "SELECT * FROM read_text('/etc/passwd')",
            "SELECT * FROM read_parquet('s3://elsewhere/x.parquet')",
            "SELECT * FROM read_csv('https://example.org/x.csv')",
            "COPY (SELECT 1) TO '{store}/x.parquet'",
            "INSTALL httpfs",
        ):
            with pytest.raises(ConfigurationError):
                session.ask(sql.format(manifest=manifest, store=object_store)).read_all()
    assert not (object_store.root / "x.parquet").exists()


def test_a_snapshot_on_objects_is_the_newest_version_rule(object_store: Store) -> None:
    """Catches an old version, a withdrawn document, or a doubled one in a snapshot that was put together of objects."""
    inputs = (
        [Event(number) for number in range(5)],
        [Event(1, version=2), Event(2, deleted=True), Event(7)],
        [Event(7, words=4), Event(3, version=2), Event(3, version=2, deleted=True)],
    )
    for number, events in enumerate(inputs, 1):
        commit_input(object_store.root, number, events)
    compact_store(object_store, CompactionSettings(memory_bytes=MEMORY))
    snapshot = open_snapshot(object_store)
    assert snapshot is not None
    found = {one.doc_id: one.version for one in snapshot.documents()}
    assert found == {doc_id: version for doc_id, (version, _, _) in newest(inputs).items()}
    assert {one.doc_id for one in snapshot.mentions()} == found.keys()


def test_one_document_does_not_fetch_the_table(object_service: ObjectService, object_store: Store) -> None:
    """Catches a page about one article that costs the transfer of all of them."""
    chance = random.Random(1)
    filled = writer(object_store.root, of=descriptor(0, _DOCUMENTS))
    filled.add_documents([document(number, text=chance.randbytes(600).hex()) for number in range(_DOCUMENTS)])
    filled.commit(Counts(records_in=_DOCUMENTS, annotated=_DOCUMENTS), seconds=1)
    compact_store(object_store, CompactionSettings(memory_bytes=MEMORY))
    snapshot = open_snapshot(object_store)
    assert snapshot is not None
    [table] = snapshot.paths("documents")
    before, asked = object_service.sent, len(object_service.requests)
    found = open_newest(object_store).document("pubmed:77")
    assert found is not None
    assert found.document.doc_id == "pubmed:77"
    assert object_service.sent - before < 0.7 * table.stat().st_size
    assert len(object_service.asked(since=asked)) <= 8


def test_places_answer_to_the_words_of_paths(object_store: Store) -> None:
    """Catches a listing that goes too deep or not deep enough, and a name that comes back otherwise than it went."""
    root = object_store.root
    assert isinstance(root, ObjectPath)
    for name in ("a/x.json", "a/.hidden.json", "a/b%20c/source=d/y.parquet", "z"):
        (root / name).put(b"1")
    assert [path.name for path in root.iterdir()] == ["a", "z"]
    assert [path.name for path in (root / "a").glob("[!.]*.json")] == ["x.json"]
    assert [path.relative_to(root).as_posix() for path in root.glob("*/*/source=*/y.parquet")] == [
        "a/b%20c/source=d/y.parquet"
    ]
    assert sum(1 for _ in root.rglob("*")) == 4
    assert ((root / "a").is_dir(), (root / "a").is_file(), (root / "q").exists()) == (True, False, False)
    assert ((root / "z").stat().st_size, (root / "a/x.json").suffix, (root / "a/x.json").stem) == (1, ".json", "x")
    assert (root / "z").with_suffix(".sha256").name == "z.sha256"
    (root / "z").unlink()
    assert not (root / "z").exists()
