"""Exports of a store whose mentions are linked."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from job_stores import CHINESE, word_store

from bioner_core.concepts.concept import Concept
from bioner_core.export.export import export_store
from bioner_core.export.provenance import Selection
from bioner_core.linking import linked_documents
from bioner_core.linking.linked_documents import with_concepts, with_own_concepts
from bioner_core.linking.linker import Linker
from bioner_core.store.compaction.compact import compact_store
from bioner_core.store.layout import Store
from bioner_core.store.newest import open_newest
from bioner_core.store.query.query_session import query_session
from tests.bioner_core.concept_samples import made_vocabulary
from tests.bioner_core.export.awkward_store import commit, document, mentions_of, withdraw
from tests.bioner_core.linking.linked_concepts import link_alone


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """A store in which an English and a Chinese word are one concept."""
    store = word_store(tmp_path)
    words = [Concept("NCBIGene:7", "CD28"), Concept("T:1", "binds"), Concept("T:1", CHINESE)]
    link_alone(Store(store), Linker([made_vocabulary(tmp_path, *words)]))
    return store


def exported(store: Path, format_name: str) -> Path:
    """The whole store in a format."""
    output = store.parent / f"out-{format_name}"
    export_store(Store(store), output, format_name=format_name, selection=Selection())
    return output


def test_pubtator_has_ids_and_a_dash_where_there_is_none(linked: Path) -> None:
    """Catches a linked mention without its id, a gene with a prefix, and an empty last column."""
    lines = [line.split("\t") for line in exported(linked, "pubtator").read_text().splitlines() if "\t" in line]
    ids = {line[3]: line[5] for line in lines if line[4] == "word"}
    assert (ids["CD28"], ids["binds"], ids[CHINESE]) == ("7", "T:1", "T:1")
    assert {line[5] for line in lines if line[4] == "letter"} == {"-"}


def test_bioc_has_the_infons_of_pubtator(linked: Path) -> None:
    """Catches other names of infons than those that readers of PubTator 3 know."""
    collection = json.loads(exported(linked, "bioc-json").read_text())
    infons = [
        one["infons"]
        for document in collection["documents"]
        for passage in document["passages"]
        for one in passage["annotations"]
        if one["text"] == "CD28" and one["infons"]["type"] == "word"
    ]
    assert infons
    for one in infons:
        assert (one["identifier"], one["normalized_id"], one["database"]) == ("NCBIGene:7", "7", "ncbi_gene")


def test_across_languages_one_concept_is_one_node(linked: Path) -> None:
    """Catches a graph that cannot be merged: a node a word, and edges that hang in the air."""
    folder = exported(linked, "kgx")
    head, *lines = (folder / "nodes.tsv").read_text().splitlines()
    nodes = [dict(zip(head.split("\t"), line.split("\t"), strict=True)) for line in lines]
    [node] = [one for one in nodes if one["id"] == "T:1"]
    assert node["name"] == "binds"
    assert {"binds", CHINESE}.isdisjoint({one["name"] for one in nodes if one["id"].startswith("bioner.entity:")})
    head, *lines = (folder / "edges.tsv").read_text().splitlines()
    edges = [dict(zip(head.split("\t"), line.split("\t"), strict=True)) for line in lines]
    ids = {one["id"] for one in nodes}
    assert all({one["subject"], one["object"]} <= ids for one in edges)
    [pair] = [one for one in edges if {one["subject"], one["object"]} == {"T:1", "NCBIGene:7"}]
    assert pair["publications"] == "jsonl:e0"


def test_documents_in_another_order_have_their_own_links(linked: Path) -> None:
    """Catches links of one document at another, after a compaction or a nightly run."""
    documents = list(open_newest(Store(linked)).documents())
    straight = {one.document.doc_id: one.concepts for one in with_concepts(Store(linked), documents)}
    turned = {one.document.doc_id: one.concepts for one in with_concepts(Store(linked), documents[::-1])}
    assert straight == turned
    assert {one.concept_id for found in straight.values() for one in found.values()} == {"NCBIGene:7", "T:1"}


def _numbered(store: Path, name: str, numbers: Iterable[int], *, version: int = 1) -> None:
    """Commit documents of these numbers, each with one name, as one shard."""
    rows = []
    for record, number in enumerate(numbers):
        made = document(f"pubmed:{number:03d}", ("abstract", "aspirin"), record_number=record, version=version)
        made = replace(made, meta=replace(made.meta, ids=()))
        rows.append((made, mentions_of(made, [("aspirin", "bc5cdr", "Chemical", number % 5 > 0)])))
    commit(store, rows, name=name)


def _looked_up(store: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, dict[str, set[str]]]:
    """How many documents of the whole store are looked up alone, and the concepts of each document."""
    asked: list[Path] = []
    own = linked_documents.read_parquet

    def counted(path: Path, **options: Any) -> pa.Table:
        asked.append(path)
        return own(path, **options)

    monkeypatch.setattr(linked_documents, "read_parquet", counted)
    found = list(with_concepts(Store(store), open_newest(Store(store)).documents()))
    monkeypatch.undo()
    return len(asked), {one.document.doc_id: {c.concept_id for c in one.concepts.values()} for one in found}


def _linked_hundred(folder: Path) -> Path:
    store = folder / "store"
    for shard in range(5):
        _numbered(store, f"pubmed26n{shard:04d}.xml", range(20 * shard, 20 * shard + 20))
    link_alone(Store(store), Linker([made_vocabulary(folder, Concept("T:2", "aspirin"))]))
    return store


def _own(store: Path) -> dict[str, set[str]]:
    """The concepts of each document, each asked alone."""
    newest = open_newest(Store(store)).documents()
    found = (with_own_concepts(Store(store), one) for one in newest)
    return {one.document.doc_id: {c.concept_id for c in one.concepts.values()} for one in found}


def test_no_document_is_looked_up_where_all_were_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a read of its own for each document whose mentions were all turned down: it has no links."""
    store = _linked_hundred(tmp_path)
    count, concepts = _looked_up(store, monkeypatch)
    assert count == 0
    assert concepts == {f"pubmed:{number:03d}": {"T:2"} if number % 5 else set() for number in range(100)}


def test_documents_that_are_gone_do_not_hold_up_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a read of its own for every document behind the first one that was withdrawn."""
    store = _linked_hundred(tmp_path)
    withdraw(store, [f"pubmed:{number:03d}" for number in (0, 7, *range(40, 60), 99)], name="pubmed26n0009.xml")
    count, concepts = _looked_up(store, monkeypatch)
    assert count == 0
    assert len(concepts) == 77
    assert concepts == _own(store)


def test_documents_that_moved_or_came_are_looked_up_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a document with a newer version in a later file that holds up all between, and one that comes earlier."""
    store = _linked_hundred(tmp_path)
    _numbered(store, "pubmed26n0009.xml", [3, 41, 200, 201], version=2)
    _numbered(store, "pubmed26a0000.xml", [50, 300], version=2)
    count, concepts = _looked_up(store, monkeypatch)
    assert count <= 6
    assert len(concepts) == 103
    assert concepts == _own(store)


def _shown_concepts(store: Path) -> list[set[str]]:
    """The concepts of the store as an export, a page of one document, and the views have them."""
    newest = list(open_newest(Store(store)).documents())
    alone = [with_own_concepts(Store(store), one) for one in newest]
    with query_session(Store(store), memory_bytes=2**28) as session:
        views = [
            {row["concept_id"] for row in session.ask(f"SELECT concept_id FROM {view}").read_all().to_pylist()}  # noqa: S608
            for view in ("links", "linked_mentions", "concepts")
        ]
    together = list(with_concepts(Store(store), newest))
    return [*({c.concept_id for one in found for c in one.concepts.values()} for found in (alone, together)), *views]


@pytest.mark.parametrize("is_compacted", [False, True])
def test_links_of_another_text_are_nobodys(tmp_path: Path, is_compacted: bool) -> None:
    """Catches a record that was corrected under its old version, whose mentions get the concepts of its old text."""
    store = tmp_path / "store"
    linker = Linker([made_vocabulary(tmp_path, Concept("T:1", "aspirin"), Concept("T:2", "heparin"))])

    def apply(name: str, word: str) -> None:
        one = document("pubmed:5", ("title", f"{word} works (WX)"), ("abstract", f"more {word}"))
        commit(store, [(one, mentions_of(one, [(word, "bc5cdr", "Chemical", True)]))], name=name, sets="bc5cdr")
        if is_compacted:
            compact_store(Store(store))

    apply("a.xml", "aspirin")
    link_alone(Store(store), linker)
    assert _shown_concepts(store) == [{"T:1"}] * 5
    apply("b.xml", "heparin")
    assert _shown_concepts(store) == [set()] * 5
    link_alone(Store(store), linker)
    assert _shown_concepts(store) == [{"T:2"}] * 5


def test_links_outlast_a_snapshot_of_what_they_are_of(linked: Path) -> None:
    """Catches links that are left out only because their documents are read from a snapshot now."""
    before = _shown_concepts(linked)
    compact_store(Store(linked))
    assert _shown_concepts(linked) == before == [{"NCBIGene:7", "T:1"}] * 2 + [{"NCBIGene:7", "T:1", None}] + before[:2]


def test_abbreviations_are_those_of_the_text_that_is_shown(tmp_path: Path) -> None:
    """Catches definitions whose places are of an earlier text of the document."""
    store = tmp_path / "store"
    texts = {"a.xml": "Heart failure (HF) kills.", "b.xml": "It kills."}
    for name, text in texts.items():
        commit(store, [(document("pubmed:5", ("abstract", text)), [])], name=name)
        if name == "a.xml":
            link_alone(Store(store), Linker([made_vocabulary(tmp_path)]))
        with query_session(Store(store), memory_bytes=2**28) as session:
            rows = session.ask("SELECT short_form FROM abbreviations").read_all().num_rows
        assert rows == (name == "a.xml")
