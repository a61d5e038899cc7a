"""What is read whole to be copied on is what was written: snapshots, links, and what queries of small stores read."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from store_samples import commit_sample

from bioner_core.concepts.concept import Concept
from bioner_core.errors import DamagedFileError, StoreError
from bioner_core.export.export import export_store
from bioner_core.export.provenance import Selection
from bioner_core.linking.link_table import current_links
from bioner_core.linking.linker import Linker
from bioner_core.store.compaction.compact import CompactionSettings, compact_store
from bioner_core.store.layout import Store
from bioner_core.store.newest import open_newest
from bioner_core.store.query import compared_files
from bioner_core.store.query.query_session import query_session
from bioner_core.store.snapshot.snapshot_reading import open_snapshot
from tests.bioner_core.concept_samples import made_vocabulary
from tests.bioner_core.linking.linked_concepts import link_alone

MEMORY = 256 * 1024**2


def _compacted(store: Path) -> Store:
    commit_sample(store)
    compact_store(Store(store), CompactionSettings(memory_bytes=MEMORY))
    return Store(store)


def _spoilt(path: Path) -> None:
    """Change the name of the program in a footer: no checksum of Parquet's covers it, and no reader trips over it."""
    before = path.read_bytes()
    place = before.rindex(b"parquet-cpp-arrow")
    path.write_bytes(before[:place] + b"q" + before[place + 1 :])


def _read(store: Store) -> Iterator[object]:
    yield from open_newest(store).documents()


@pytest.mark.parametrize("table", ["documents", "mentions", "lineage"])
def test_a_table_of_a_snapshot_is_compared_before_it_is_copied(tmp_path: Path, table: str) -> None:
    """Catches an export, a publication or links that are made of what a disk has changed."""
    store = _compacted(tmp_path)
    assert len(list(_read(store))) == 2
    _spoilt(next(tmp_path.glob(f"snapshots/*/{table}/*/*.parquet")))
    with pytest.raises(DamagedFileError, match="remove snapshots/"):
        list(_read(store))


def test_a_file_of_a_snapshot_is_compared_once(tmp_path: Path) -> None:
    """Catches a reader that digests hundreds of gigabytes for each pass over them."""
    snapshot = open_snapshot(_compacted(tmp_path))
    assert snapshot is not None
    first = list(snapshot.documents())
    _spoilt(next(tmp_path.glob("snapshots/*/documents/*/*.parquet")))
    assert list(snapshot.documents()) == first


@pytest.mark.parametrize("table", ["mentions", "shards", "entity_years"])
@pytest.mark.parametrize("bound", [compared_files.MOST_COMPARED_BYTES, 1])
def test_a_query_compares_a_small_snapshot(
    tmp_path: Path, table: str, bound: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches other rows from DuckDB, which looks at no checksum, and a query that waits for large files' digests."""
    store = _compacted(tmp_path)
    monkeypatch.setattr(compared_files, "MOST_COMPARED_BYTES", bound)
    _spoilt(next(tmp_path.glob(f"snapshots/*/{table}/**/*.parquet")))
    if bound > 1:
        with pytest.raises(StoreError, match="verify"), query_session(store, memory_bytes=MEMORY):
            pass
        return
    with query_session(store, memory_bytes=MEMORY) as session:
        assert session.ask("SELECT count(*) FROM candidates").read_all().num_rows == 1


def test_a_query_compares_small_shards(tmp_path: Path) -> None:
    """Catches other rows of a store without a snapshot."""
    manifest = commit_sample(tmp_path)
    [mentions] = [file.path for file in manifest.files if file.table == "mentions"]
    _spoilt(tmp_path / mentions)
    told = pytest.raises(StoreError, match=f"remove manifests/{manifest.shard_id}")
    with told, query_session(Store(tmp_path), memory_bytes=MEMORY):
        pass


@pytest.mark.parametrize("table", ["links", "abbreviations", "linked"])
def test_damaged_links_are_neither_kept_nor_exported(tmp_path: Path, table: str) -> None:
    """Catches rows of an earlier link run that are copied into the next one, or into an export, unlooked at."""
    store = _compacted(tmp_path / "store")
    linker = Linker([made_vocabulary(tmp_path, Concept("T:1", "CD28"))])
    page = link_alone(store, linker).page
    assert link_alone(store, linker).linked_now == 0
    page = current_links(store)
    assert page is not None
    path = page.path(store, table)
    assert isinstance(path, Path)
    _spoilt(path)
    if table == "links":
        with pytest.raises(DamagedFileError, match="Remove the folder links"):
            export_store(store, tmp_path / "out.jsonl", format_name="jsonl", selection=Selection())
    assert link_alone(store, linker).linked_now == 2
