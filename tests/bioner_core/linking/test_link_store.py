"""Links in a store: old ones or new ones, never half of them, and no model."""

from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from job_stores import word_store

from bioner_core.concepts.concept import Concept
from bioner_core.errors import StoreError
from bioner_core.linking import link_store as module
from bioner_core.linking.link_store import link_store
from bioner_core.linking.link_table import LINKED, LINKS, current_links
from bioner_core.linking.linker import Linker
from bioner_core.store.layout import Store
from bioner_core.store.schemas import file_fact
from tests.bioner_core.concept_samples import made_vocabulary
from tests.bioner_core.linking.linked_concepts import linked_concepts


@pytest.fixture
def linker(tmp_path: Path) -> Linker:
    """A linker that knows one word of the store."""
    return Linker([made_vocabulary(tmp_path, Concept("T:1", "CD28"))])


def test_every_accepted_mention_has_rows(tmp_path: Path, linker: Linker) -> None:
    """Catches a mention without a row, and a candidate that was turned down among the links."""
    store = word_store(tmp_path)
    report = link_store(Store(store), linker)
    page = current_links(Store(store))
    assert page is not None
    table = pq.read_table(page.path(Store(store), "links"))
    assert table.schema.equals(LINKS)
    rows = table.to_pylist()
    assert report.page == page
    assert len({row["mention_id"] for row in rows}) == page.mentions
    assert [row["concept_id"] for row in rows if row["rank"] == 1].count("T:1") == page.linked > 0
    everything = link_store(Store(store), linker, all_candidates=True)
    assert everything.page.mentions > page.mentions
    assert set(linked_concepts(Store(store)).values()) == {"T:1"}


def test_files_say_what_they_are_and_count_the_rows_of_each_document(tmp_path: Path, linker: Linker) -> None:
    """Catches a file of links that names no schema version, and counts by which the next run would copy other rows."""
    store = Store(word_store(tmp_path))
    for _ in range(2):  # all rows new, then all copied
        page = link_store(store, linker).page
        for table in ("links", "abbreviations", LINKED):
            assert file_fact(pq.read_schema(page.path(store, table)), "table") == table
        rows = Counter(row["doc_id"] for row in pq.read_table(page.path(store, "links")).to_pylist())
        said = {row["doc_id"]: row["links"] for row in pq.read_table(page.path(store, LINKED)).to_pylist()}
        assert {doc_id: count for doc_id, count in said.items() if count} == dict(rows)
        assert max(rows.values()) > 1


def test_the_old_links_stay_when_a_run_dies(tmp_path: Path, linker: Linker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches links that are half of one run and half of another."""
    store = word_store(tmp_path)
    before = link_store(Store(store), linker).page
    held = linked_concepts(Store(store))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "make_current", die)
    with pytest.raises(KeyboardInterrupt):
        link_store(Store(store), Linker([made_vocabulary(tmp_path, Concept("T:2", "CD28"), name="other")]))
    assert current_links(Store(store)) == before
    assert linked_concepts(Store(store)) == held


def test_a_new_run_sweeps_the_old_one_away(tmp_path: Path, linker: Linker) -> None:
    """Catches a store that grows with every run of links."""
    store = word_store(tmp_path)
    link_store(Store(store), linker)
    (store / "links" / ".links-of-a-dead-run.parquet.tmp").touch()
    link_store(Store(store), linker)
    assert len(list((store / "links").iterdir())) == 4


def test_damage_is_said(tmp_path: Path, linker: Linker) -> None:
    """Catches a damaged page of links that is taken for none, or a traceback instead of what to do."""
    store = word_store(tmp_path)
    link_store(Store(store), linker)
    (store / "links" / "CURRENT.json").write_text("{}")
    with pytest.raises(StoreError, match=r"damaged.*bioner link"):
        current_links(Store(store))
