"""Links at the end of a night."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from job_stores import word_store

from bioner_core.concepts.concept import Concept
from bioner_core.linking.link_table import current_links
from bioner_core.linking.linker import ConceptLink, Linker, NamedText
from bioner_core.store.compaction.compact import compact_store
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store
from jobs.runs.links import linker_of, with_links
from pipelines.nightly.report import SyncReport
from tests.bioner_core.concept_samples import made_vocabulary
from tests.bioner_core.linking.linked_concepts import link_alone
from tests.pipelines.annotate_fakes import take_over


def _report() -> SyncReport:
    return SyncReport(run_id="r", job="nightly", started="s", seconds=1, applied=(), pending=0, max_reject_rate=1)


def _linked(store: Path, linker: Linker) -> SyncReport:
    """The report of a night that held the store and linked it."""
    with StoreLock(Store(store), purpose="test") as lock:
        return with_links(_report(), Store(store), lock=lock, linker=linker, quiet=True)


def _linker(folder: Path, *concepts: Concept, name: str) -> Linker:
    return Linker([made_vocabulary(folder, *concepts, name=name)])


def test_what_is_newest_is_linked_and_not_twice(tmp_path: Path) -> None:
    """Catches a night without links, one that links a snapshot twice, and a new vocabulary that is passed over."""
    store = word_store(tmp_path)
    compact_store(Store(store))
    first = _linker(tmp_path, Concept("T:1", "binds"), name="first")
    done = _linked(store, first)
    assert done.links is not None
    assert (done.links.linked, list(done.links.vocabularies), done.exit_code()) == (2, ["first"], 0)
    assert done.as_json()["links"]["linked"] == 2
    assert "linked to first: 2 of" in done.lines()[-1]
    again = _linked(store, first).links
    assert again == done.links == current_links(Store(store))
    other = _linker(tmp_path, Concept("T:1", "binds"), Concept("T:2", "CD28"), name="second")
    newer = _linked(store, other).links
    assert newer is not None
    assert newer.linked == 4


def test_links_that_fail_leave_what_was_applied(tmp_path: Path) -> None:
    """Catches a night that loses its report because linking failed, or that says nothing of it."""
    store = word_store(tmp_path)
    for path in (store / "mentions").rglob("*.parquet"):
        path.write_bytes(bytes(path.stat().st_size))  # a torn one would be left out
    done = _linked(store, _linker(tmp_path, name="first"))
    assert done.links is None
    assert "not linked" in done.failures[0]


def test_an_empty_store_and_no_vocabulary_are_no_fault(tmp_path: Path) -> None:
    """Catches a first night that fails since there is nothing yet."""
    assert linker_of(None) is linker_of([]) is None
    assert _linked(tmp_path, _linker(tmp_path, name="first")) == _report()


class _LosesTheStore(Linker):
    """Another job takes `store` over and has begun its links when the first document is linked."""

    store: Store

    def link_document(
        self, mentions: Sequence[NamedText], long_forms: Mapping[str, str]
    ) -> list[tuple[ConceptLink, ...]]:
        """The links, and the other job."""
        begun = self.store.links / "links-of-the-other-job.parquet"
        if not begun.exists():
            take_over(self.store)
            begun.touch()
        return super().link_document(mentions, long_forms)


def test_a_lock_that_is_lost_while_links_are_made_leaves_those_of_the_other_job(tmp_path: Path) -> None:
    """Catches a night whose machine slept while it linked: it removed what the job after it was writing, and showed its
    own links in place of that job's."""
    store = Store(word_store(tmp_path))
    before = link_alone(store, _linker(tmp_path, Concept("T:1", "binds"), name="first")).page
    slept = _LosesTheStore([made_vocabulary(tmp_path, Concept("T:2", "binds"), name="second")])
    slept.store = store
    done = _linked(store.folder, slept)
    assert (done.links, done.exit_code()) == (None, 1)
    assert "lost its lock" in done.failures[0]
    assert (store.links / "links-of-the-other-job.parquet").exists()
    assert current_links(store) == before
