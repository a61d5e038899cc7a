"""Links of what is new only: the same as all links made anew, and old ones or new ones wherever a run is killed."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioner_core.concepts.concept import Concept
from bioner_core.linking import link_table
from bioner_core.linking.link_store import LinkReport
from bioner_core.linking.link_table import current_links
from bioner_core.linking.linker import Linker
from bioner_core.store.bounded_database import bounded_database
from bioner_core.store.compaction.compact import CompactionSettings, compact_store
from bioner_core.store.layout import Store
from tests.bioner_core.concept_samples import made_vocabulary
from tests.bioner_core.export.awkward_store import commit, document, mentions_of
from tests.bioner_core.linking.linked_concepts import link_alone, linked_concepts

WORDS = (Concept("T:1", "heart failure"), Concept("T:2", "aspirin"), Concept("T:3", "HF"))
TEXTS = ("aspirin in heart failure (HF); HF", "no aspirin, no HF", "nothing", "aspirin")
TABLES = ("links", "abbreviations", "linked")


def fill(store: Path, name: str, texts: Sequence[tuple[int, int, int]]) -> None:
    """Commit documents (number, version, which text) as one input; every name in them is marked."""
    documents = []
    for record, (number, version, text) in enumerate(texts):
        made = document(f"pubmed:{number}", ("abstract", TEXTS[text]), record_number=record, version=version)
        made = replace(made, meta=replace(made.meta, ids=()))
        found = [(name, "bc5cdr", "Any", True) for name in ("heart failure", "aspirin", "HF")]
        documents.append((made, mentions_of(made, [one for one in found if one[0] in TEXTS[text]])))
    commit(store, documents, name=name)


def tables(store: Path) -> dict[str, list[dict[str, Any]]]:
    """All rows that the store has now."""
    page = current_links(Store(store))
    assert page is not None
    return {table: pq.read_table(page.path(Store(store), table)).to_pylist() for table in TABLES}


def counts(report: LinkReport) -> tuple[object, ...]:
    """What a report says of all links, whichever documents were linked now."""
    page = report.page
    return page.documents, page.mentions, page.linked, report.by_method, report.by_type, report.abbreviations


@pytest.fixture
def linker(tmp_path: Path) -> Linker:
    """A linker to the sample words."""
    return Linker([made_vocabulary(tmp_path, *WORDS)])


RECORD = st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(0, 3))
NIGHT = st.tuples(st.lists(RECORD, min_size=1, max_size=4, unique_by=lambda one: one[:2]), st.booleans())


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.lists(NIGHT, min_size=1, max_size=4))
def test_a_run_over_what_is_new_gives_what_a_whole_run_gives(
    nights: Sequence[tuple[Sequence[tuple[int, int, int]], bool]],
) -> None:
    """Catches a row that is kept of a document that changed or went, and one that is lost, doubled or out of order."""
    with TemporaryDirectory() as folder:
        store, linker = Path(folder) / "store", Linker([made_vocabulary(Path(folder), *WORDS)])
        for number, (records, compacted) in enumerate(nights):
            fill(store, f"pubmed26n{number:04d}.xml", records)
            if compacted:
                compact_store(Store(store), CompactionSettings(memory_bytes=256 * 1024**2))
            report = link_alone(Store(store), linker)
            found = tables(store)
            anew = link_alone(Store(store), linker, anew=True)
            assert found == tables(store)
            assert counts(report) == counts(anew)
            assert anew.linked_now == anew.page.documents


@pytest.mark.parametrize("compacted", [False, True])
def test_only_new_and_changed_documents_are_linked(tmp_path: Path, linker: Linker, compacted: bool) -> None:
    """Catches a run that links all that it linked last night."""
    store = tmp_path / "store"
    fill(store, "pubmed26n0001.xml", [(1, 1, 0), (2, 1, 1), (3, 1, 2)])
    if compacted:
        compact_store(Store(store), CompactionSettings(memory_bytes=256 * 1024**2))
    assert link_alone(Store(store), linker).linked_now == 3
    assert link_alone(Store(store), linker).linked_now == 0
    fill(store, "pubmed26n0002.xml", [(2, 2, 0), (9, 1, 3)])
    if compacted:
        compact_store(Store(store), CompactionSettings(memory_bytes=256 * 1024**2))
    report = link_alone(Store(store), linker)
    assert (report.linked_now, report.page.documents, report.mentions_now) == (2, 4, 4)


def test_another_linker_or_setting_links_everything(tmp_path: Path, linker: Linker) -> None:
    """Catches links of an earlier vocabulary, species or choice of mentions that are kept as if they were new."""
    store = tmp_path / "store"
    fill(store, "pubmed26n0001.xml", [(1, 1, 0)])
    link_alone(Store(store), linker)
    assert link_alone(Store(store), linker, all_candidates=True).linked_now == 1
    assert link_alone(Store(store), linker).linked_now == 1
    assert link_alone(Store(store), Linker(linker.vocabularies, default_taxon="NCBITaxon:10090")).linked_now == 1
    other = Linker([made_vocabulary(tmp_path, Concept("T:9", "aspirin"), name="other")])
    assert link_alone(Store(store), other).linked_now == 1
    assert set(linked_concepts(Store(store)).values()) == {"T:9"}


def test_a_shard_that_is_written_again_is_linked_again(tmp_path: Path, linker: Linker) -> None:
    """Catches links of mentions that another model or another finish has replaced."""
    store = tmp_path / "store"
    fill(store, "pubmed26n0001.xml", [(1, 1, 0), (2, 1, 1)])
    link_alone(Store(store), linker)
    made = document("pubmed:1", ("abstract", TEXTS[0]))
    other = replace(made, doc_id="pubmed:2", meta=replace(made.meta, record_number=1))
    commit(
        store, [(made, mentions_of(made, [("aspirin", "bc5cdr", "Any", True)])), (other, [])], name="pubmed26n0001.xml"
    )
    report = link_alone(Store(store), linker)
    assert (report.linked_now, report.page.mentions) == (2, 1)


@pytest.mark.parametrize("table", TABLES)
def test_damaged_links_are_made_anew(tmp_path: Path, linker: Linker, table: str) -> None:
    """Catches a run that copies from a damaged file, or gives up where it could link."""
    store = tmp_path / "store"
    fill(store, "pubmed26n0001.xml", [(1, 1, 0), (2, 1, 1)])
    page = link_alone(Store(store), linker).page
    whole = tables(store)
    page.path(Store(store), table).write_bytes(b"PAR1")
    assert link_alone(Store(store), linker).linked_now == 2
    assert tables(store) == whole
    (store / "links" / "CURRENT.json").write_text("{}")
    assert link_alone(Store(store), linker).linked_now == 2
    assert tables(store) == whole


@pytest.mark.slow
def test_a_run_that_is_killed_leaves_old_links_or_new_ones(tmp_path: Path) -> None:
    """Catches half a run that readers see, wherever it is killed, and one that cannot be run again."""
    store = tmp_path / "store"
    vocabulary = made_vocabulary(tmp_path, *WORDS)
    fill(store, "pubmed26n0001.xml", [(1, 1, 0)])
    link_alone(Store(store), Linker([vocabulary]))
    old = tables(store)
    fill(store, "pubmed26n0002.xml", [(2, 1, 1)])
    countdown = 0
    while True:
        countdown += 1
        words = [sys.executable, "-m", "tests.bioner_core.linking.killed_link", store, tmp_path / "sample", countdown]
        if subprocess.run(list(map(str, words)), check=False).returncode == 0:
            break
        assert tables(store) == old, f"killed before rename {countdown}"
    assert countdown > len(TABLES)
    assert [row["doc_id"] for row in tables(store)["linked"]] == ["pubmed:1", "pubmed:2"]
    assert len(list((store / "links").iterdir())) == len(TABLES) + 1


def test_what_is_compared_spills_into_the_store(
    tmp_path: Path, linker: Linker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a comparison of many documents that fills the folder in which the command was typed."""
    folders = list[Path]()

    @contextmanager
    def noted(memory: str, folder: str) -> Iterator[duckdb.DuckDBPyConnection]:
        folders.append(Path(folder))
        with bounded_database(memory, folder) as database:
            yield database

    store = tmp_path / "store"
    fill(store, "a", [(1, 1, 0)])
    link_alone(Store(store), linker)
    monkeypatch.setattr(link_table, "bounded_database", noted)
    link_alone(Store(store), linker)
    assert [one.parent for one in folders] == [store / "links"] * 2  # what changed, and the sums
    assert not any(one.exists() for one in folders)
