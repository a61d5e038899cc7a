"""Links in a store: old ones or new ones, never half of them, and no model."""

from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from job_stores import word_store

from bioner_core.concepts.concept import Concept
from bioner_core.errors import StoreError
from bioner_core.linking import link_store as module
from bioner_core.linking.link_store import LinkReport, current_page_of, link_store
from bioner_core.linking.link_table import LINKED, LINKS, LinkPage, current_links
from bioner_core.linking.linker import Linker
from bioner_core.store.compaction.compact import CompactionSettings, compact_store
from bioner_core.store.layout import Store
from bioner_core.store.schemas import file_fact
from tests.bioner_core.concept_samples import made_vocabulary
from tests.bioner_core.export.awkward_store import commit, document, mentions_of
from tests.bioner_core.linking.linked_concepts import link_alone, linked_concepts


@pytest.fixture
def linker(tmp_path: Path) -> Linker:
    """A linker that knows one word of the store."""
    return Linker([made_vocabulary(tmp_path, Concept("T:1", "CD28"))])


def test_every_accepted_mention_has_rows(tmp_path: Path, linker: Linker) -> None:
    """Catches a mention without a row, and a candidate that was turned down among the links."""
    store = word_store(tmp_path)
    report = link_alone(Store(store), linker)
    page = current_links(Store(store))
    assert page is not None
    table = pq.read_table(page.path(Store(store), "links"))
    assert table.schema.equals(LINKS)
    rows = table.to_pylist()
    assert report.page == page
    assert len({row["mention_id"] for row in rows}) == page.mentions
    assert [row["concept_id"] for row in rows if row["rank"] == 1].count("T:1") == page.linked > 0
    everything = link_alone(Store(store), linker, all_candidates=True)
    assert everything.page.mentions > page.mentions
    assert set(linked_concepts(Store(store)).values()) == {"T:1"}


def test_files_say_what_they_are_and_count_the_rows_of_each_document(tmp_path: Path, linker: Linker) -> None:
    """Catches a file of links that names no schema version, and counts by which the next run would copy other rows."""
    store = Store(word_store(tmp_path))
    for _ in range(2):  # all rows new, then all copied
        page = link_alone(store, linker).page
        for table in ("links", "abbreviations", LINKED):
            assert file_fact(pq.read_schema(page.path(store, table)), "table") == table
        rows = Counter(row["doc_id"] for row in pq.read_table(page.path(store, "links")).to_pylist())
        said = {row["doc_id"]: row["links"] for row in pq.read_table(page.path(store, LINKED)).to_pylist()}
        assert {doc_id: count for doc_id, count in said.items() if count} == dict(rows)
        assert max(rows.values()) > 1


def test_the_old_links_stay_when_a_run_dies(tmp_path: Path, linker: Linker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches links that are half of one run and half of another."""
    store = word_store(tmp_path)
    before = link_alone(Store(store), linker).page
    held = linked_concepts(Store(store))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "make_current", die)
    with pytest.raises(KeyboardInterrupt):
        link_alone(Store(store), Linker([made_vocabulary(tmp_path, Concept("T:2", "CD28"), name="other")]))
    assert current_links(Store(store)) == before
    assert linked_concepts(Store(store)) == held


def test_a_run_that_lost_its_lock_shows_nothing(tmp_path: Path, linker: Linker) -> None:
    """Catches a run that wakes after its lease, and removes the files of links that its successor is writing."""
    store = Store(word_store(tmp_path))
    before = link_alone(store, linker).page
    successor = store.folder / "links" / "links-of-another-run.parquet"
    successor.touch()

    def lost() -> None:
        raise StoreError("lost")

    with pytest.raises(StoreError, match="lost"):
        link_store(store, linker, anew=True, check=lost)
    assert current_links(store) == before
    assert successor.exists()


def test_a_new_run_sweeps_the_old_one_away(tmp_path: Path, linker: Linker) -> None:
    """Catches a store that grows with every run of links."""
    store = word_store(tmp_path)
    link_alone(Store(store), linker)
    (store / "links" / ".links-of-a-dead-run.parquet.tmp").touch()
    link_alone(Store(store), linker)
    assert len(list((store / "links").iterdir())) == 4


def test_damage_is_said(tmp_path: Path, linker: Linker) -> None:
    """Catches a damaged page of links that is taken for none, or a traceback instead of what to do."""
    store = word_store(tmp_path)
    link_alone(Store(store), linker)
    (store / "links" / "CURRENT.json").write_text("{}")
    with pytest.raises(StoreError, match=r"damaged.*bioner link"):
        current_links(Store(store))


PAGE = LinkPage("r1", "snapshot:s1", "f1", {"mesh": "2026+1"}, 4, 30, 20, "2026-01-01", {"links": "d1"})


def test_a_report_says_all_that_was_counted() -> None:
    """Catches a count under another one's key, and times with digits that nobody measured."""
    report = LinkReport(
        page=PAGE,
        by_method={"exact": 20, "none": 10},
        by_type={"Gene": {"mentions": 30, "linked": 20}},
        abbreviations=3,
        linked_now=2,
        mentions_now=10,
        seconds=1.23456,
        linking_seconds=0.29996,
    )
    assert report.to_json() == {
        "run": "r1",
        "made_from": "snapshot:s1",
        "fingerprint": "f1",
        "vocabularies": {"mesh": "2026+1"},
        "documents": 4,
        "mentions": 30,
        "linked": 20,
        "created": "2026-01-01",
        "digests": {"links": "d1"},
        "by_method": {"exact": 20, "none": 10},
        "by_type": {"Gene": {"mentions": 30, "linked": 20}},
        "abbreviations": 3,
        "documents_linked_now": 2,
        "mentions_linked_now": 10,
        "seconds": 1.235,
        "linking_seconds": 0.3,
        "mentions_per_second": 33,
    }


def test_a_report_of_no_work_has_no_rate() -> None:
    """Catches a run that linked nothing anew and ends with a division by zero."""
    report = LinkReport(PAGE, {}, {}, 0, linked_now=0, mentions_now=0, seconds=0.0, linking_seconds=0.0)
    assert report.to_json()["mentions_per_second"] == 0


def snapshot_of(folder: Path, *texts: str) -> Store:
    """A store of these documents, of which one mention is marked in each, and a snapshot of them."""
    store = Store(folder / "store")
    for number, text in enumerate(texts):
        made = document(f"pubmed:{number}", ("abstract", text))
        commit(store.folder, [(made, mentions_of(made, [("CD28", "bc5cdr", "Any", True)]))], name=f"in{number}")
    compact_store(store, CompactionSettings(memory_bytes=256 * 1024**2))
    return store


def test_links_of_this_snapshot_rules_and_vocabularies_are_current(tmp_path: Path, linker: Linker) -> None:
    """Catches a night that links a whole store again although nothing has changed, or keeps what is out of date."""
    store = snapshot_of(tmp_path, "CD28 binds")
    assert current_page_of(store, linker) is None
    page = link_alone(store, linker).page
    assert current_page_of(store, linker) == page
    vocabulary = linker.vocabularies[0]
    another = made_vocabulary(tmp_path, Concept("T:2", "CD28"), name="other")
    for changed in (
        Linker([another]),
        Linker([vocabulary, another]),
        Linker([vocabulary], default_taxon="NCBITaxon:10090"),
    ):
        assert current_page_of(store, changed) is None
    link_alone(store, linker, all_candidates=True)
    assert current_page_of(store, linker) is None


def test_links_of_an_older_snapshot_are_not_current(tmp_path: Path, linker: Linker) -> None:
    """Catches new documents that are never linked, since a page of links is there."""
    store = snapshot_of(tmp_path, "CD28 binds")
    link_alone(store, linker)
    assert snapshot_of(tmp_path, "CD28 binds", "no CD28") == store
    assert current_page_of(store, linker) is None
    page = link_alone(store, linker).page
    assert current_page_of(store, linker) == page


def test_links_of_a_store_without_a_snapshot_are_not_current(tmp_path: Path, linker: Linker) -> None:
    """Catches shards that are taken for unchanged, though nothing names their state."""
    store = Store(word_store(tmp_path))
    link_alone(store, linker)
    assert current_page_of(store, linker) is None


@pytest.mark.parametrize("text", ["", "{", "{}"])
def test_a_damaged_page_is_not_current(tmp_path: Path, linker: Linker, text: str) -> None:
    """Catches a night that ends for a page of links which it is about to make anew."""
    store = snapshot_of(tmp_path, "CD28 binds")
    link_alone(store, linker)
    (store.folder / "links" / "CURRENT.json").write_text(text)
    assert current_page_of(store, linker) is None
