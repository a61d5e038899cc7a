"""Links at the end of a night."""

from pathlib import Path

from job_stores import word_store

from bioner_core.concepts.concept import Concept
from bioner_core.linking.link_table import current_links
from bioner_core.linking.linker import Linker
from bioner_core.store.compaction.compact import compact_store
from bioner_core.store.layout import Store
from jobs.runs.links import linker_of, with_links
from pipelines.nightly.report import SyncReport
from tests.bioner_core.concept_samples import made_vocabulary


def _report() -> SyncReport:
    return SyncReport(run_id="r", job="nightly", started="s", seconds=1, applied=(), pending=0, max_reject_rate=1)


def _linker(folder: Path, *concepts: Concept, name: str) -> Linker:
    return Linker([made_vocabulary(folder, *concepts, name=name)])


def test_what_is_newest_is_linked_and_not_twice(tmp_path: Path) -> None:
    """Catches a night without links, one that links a snapshot twice, and a new vocabulary that is passed over."""
    store = word_store(tmp_path)
    compact_store(Store(store))
    first = _linker(tmp_path, Concept("T:1", "binds"), name="first")
    done = with_links(_report(), Store(store), linker=first, quiet=True)
    assert done.links is not None
    assert (done.links.linked, list(done.links.vocabularies), done.exit_code()) == (2, ["first"], 0)
    assert done.as_json()["links"]["linked"] == 2
    assert "linked to first: 2 of" in done.lines()[-1]
    again = with_links(_report(), Store(store), linker=first, quiet=True).links
    assert again == done.links == current_links(Store(store))
    other = _linker(tmp_path, Concept("T:1", "binds"), Concept("T:2", "CD28"), name="second")
    newer = with_links(_report(), Store(store), linker=other, quiet=True).links
    assert newer is not None
    assert newer.linked == 4


def test_links_that_fail_leave_what_was_applied(tmp_path: Path) -> None:
    """Catches a night that loses its report because linking failed, or that says nothing of it."""
    store = word_store(tmp_path)
    for path in (store / "mentions").rglob("*.parquet"):
        path.write_bytes(bytes(path.stat().st_size))  # a torn one would be left out
    done = with_links(_report(), Store(store), linker=_linker(tmp_path, name="first"), quiet=True)
    assert done.links is None
    assert "not linked" in done.failures[0]


def test_an_empty_store_and_no_vocabulary_are_no_fault(tmp_path: Path) -> None:
    """Catches a first night that fails since there is nothing yet."""
    assert linker_of(None) is linker_of([]) is None
    assert with_links(_report(), Store(tmp_path), linker=_linker(tmp_path, name="first"), quiet=True) == _report()
