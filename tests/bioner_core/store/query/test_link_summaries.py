"""Counts by concept: files that say what the views would."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from job_stores import word_store

from bioner_core.concepts.concept import Concept
from bioner_core.errors import DamagedFileError, StoreError
from bioner_core.linking.link_table import SCHEMAS_OF_LINKS, SUMMARIES_OF_LINKS, current_links, make_current
from bioner_core.linking.linker import Linker
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.compaction.compact import CompactionSettings, compact_store
from bioner_core.store.layout import Store
from bioner_core.store.query.link_summaries import make_link_summaries
from bioner_core.store.query.link_views import has_summaries
from bioner_core.store.query.query_session import query_session
from tests.bioner_core.concept_samples import made_vocabulary
from tests.bioner_core.linking.linked_concepts import link_alone

MEMORY = 256 * 1024**2
make_summaries = partial(make_link_summaries, check=lambda: None)
"""As somebody makes them who is alone on the store."""


def linked_store(folder: Path) -> tuple[Path, Linker]:
    """A store with a snapshot and links of two concepts that stand in one sentence."""
    store = word_store(folder)
    compact_store(Store(store), CompactionSettings(memory_bytes=MEMORY))
    linker = Linker([made_vocabulary(folder, Concept("T:1", "CD28"), Concept("T:2", "binds"))])
    link_alone(Store(store), linker)
    return store, linker


def answers(store: Path) -> dict[str, list[dict[str, Any]]]:
    """All that the store says of concepts."""
    with query_session(Store(store), memory_bytes=MEMORY) as session:
        return {table: session.ask(f"FROM {table}").read_all().to_pylist() for table in SUMMARIES_OF_LINKS}


def test_the_files_say_what_the_views_say(tmp_path: Path) -> None:
    """Catches counts that change when they are stored, and a concept that is its own neighbour."""
    store, _ = linked_store(tmp_path)
    counted = answers(store)
    assert make_summaries(Store(store), memory_bytes=MEMORY)
    page = current_links(Store(store))
    assert page is not None
    assert has_summaries(Store(store), page)
    assert answers(store) == counted
    assert {one["concept_id"]: one["documents"] for one in counted["concepts"]} == {"T:1": 1, "T:2": 1}
    pairs = {(one["concept_id"], one["other_id"], one["sentences"]) for one in counted["concept_neighbours"]}
    assert pairs == {("T:1", "T:2", 1), ("T:2", "T:1", 1)}
    [place] = [one for one in counted["concept_documents"] if one["concept_id"] == "T:2"]
    assert (place["start"], place["end"]) == (5, 10)
    assert [one["text"] for one in counted["concept_names"]] == ["cd28", "binds"]


def test_counts_of_an_older_snapshot_are_not_shown(tmp_path: Path) -> None:
    """Catches counts of documents that are gone since, and counts that are made of links of another state."""
    store, _ = linked_store(tmp_path)
    make_summaries(Store(store), memory_bytes=MEMORY)
    page = current_links(Store(store))
    assert page is not None
    for table in SUMMARIES_OF_LINKS:
        pq.write_table(SUMMARIES_OF_LINKS[table].empty_table(), page.path(Store(store), table))
    make_current(Store(store), replace(page, made_from="snapshot:older"))
    assert [one["concept_id"] for one in answers(store)["concepts"]] == ["T:1", "T:2"]
    for table in SUMMARIES_OF_LINKS:
        page.path(Store(store), table).unlink()
    assert not make_summaries(Store(store), memory_bytes=MEMORY)


def test_verify_compares_every_file_of_the_links(tmp_path: Path) -> None:
    """Catches damage in the counts by concept, or in the list of linked documents, that `verify` passes: queries answer
    from the ones, and the next run copies rows by the other."""
    store, _ = linked_store(tmp_path)
    make_summaries(Store(store), memory_bytes=MEMORY)
    assert verify_store(Store(store)).sound
    files = sorted((store / "links").glob("*.parquet"))
    assert len(files) == len(SUMMARIES_OF_LINKS) + len(SCHEMAS_OF_LINKS) + 1
    for path in files:
        before = path.read_bytes()
        path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        [fault] = verify_store(Store(store)).faults
        assert str(path) in fault
        path.write_bytes(before)


def test_counts_without_a_digest_are_made_anew(tmp_path: Path) -> None:
    """Catches a page of before, whose counts nothing vouches for, that cannot be read, or is believed for ever."""
    store, _ = linked_store(tmp_path)
    make_summaries(Store(store), memory_bytes=MEMORY)
    page = current_links(Store(store))
    assert page is not None
    make_current(Store(store), page)  # as a killed run leaves it: files, and no digests of the counts
    page.path(Store(store), "concepts").write_bytes(b"of nobody")
    assert verify_store(Store(store)).sound
    assert make_summaries(Store(store), memory_bytes=MEMORY)
    assert current_links(Store(store)).digests.keys() >= SUMMARIES_OF_LINKS.keys()
    assert [one["concept_id"] for one in answers(store)["concepts"]] == ["T:1", "T:2"]


@pytest.mark.parametrize("table", ["links", "concepts"])
def test_a_query_ends_with_damaged_links(tmp_path: Path, table: str) -> None:
    """Catches answers from links that a disk has changed; they are named, with what to remove."""
    store, _ = linked_store(tmp_path)
    make_summaries(Store(store), memory_bytes=MEMORY)
    page = current_links(Store(store))
    assert page is not None
    path = page.path(Store(store), table)
    assert isinstance(path, Path)
    path.write_bytes(path.read_bytes()[:-9] + bytes(9))
    with pytest.raises(StoreError, match="Remove the folder links"), query_session(Store(store), memory_bytes=MEMORY):
        pass


@pytest.mark.parametrize("damaged", ["mentions", "links"])
def test_counts_are_not_made_of_damaged_files(tmp_path: Path, damaged: str) -> None:
    """Catches counts with a digest of their own that are made of rows that a disk has changed."""
    store, _ = linked_store(tmp_path)
    path = next(store.glob("snapshots/*/mentions/*/*") if damaged == "mentions" else store.glob("links/links-*"))
    path.write_bytes(path.read_bytes()[:-9] + bytes(9))
    with pytest.raises(DamagedFileError, match="has changed since it was written"):
        make_summaries(Store(store), memory_bytes=MEMORY)


def test_what_a_killed_run_left_goes_with_the_next(tmp_path: Path) -> None:
    """Catches sorts of a run that was killed while it counted, which stop every later one."""
    store, linker = linked_store(tmp_path)
    left = store / "links" / ".counting-killed"
    left.mkdir()
    (left / "sort.tmp").touch()
    link_alone(Store(store), linker)
    assert not left.exists()


def test_without_a_snapshot_there_are_no_files(tmp_path: Path) -> None:
    """Catches counts of shards, which no later state of the store could tell from its own."""
    store = word_store(tmp_path)
    linker = Linker([made_vocabulary(tmp_path, Concept("T:1", "CD28"))])
    assert not make_summaries(Store(store))
    link_alone(Store(store), linker)
    assert not make_summaries(Store(store))
    assert [one["concept_id"] for one in answers(store)["concepts"]] == ["T:1"]


def test_counts_of_a_job_that_lost_its_lock_are_not_shown(tmp_path: Path) -> None:
    """Catches a page that is written back over the links which another job has shown while this one counted."""
    folder, _ = linked_store(tmp_path)
    store = Store(folder)

    def another_job_links() -> None:
        link_alone(store, Linker([made_vocabulary(tmp_path, Concept("T:3", "binds"), name="other")]))
        raise StoreError("the lock is lost")

    with pytest.raises(StoreError, match="the lock is lost"):
        make_link_summaries(store, check=another_job_links, memory_bytes=MEMORY)
    page = current_links(store)
    assert page is not None
    assert list(page.vocabularies) == ["other"]
    assert [one["concept_id"] for one in answers(folder)["concepts"]] == ["T:3"]
