"""Exports of a store whose mentions are linked."""

import json
from pathlib import Path

import pytest
from job_stores import CHINESE, word_store

from bioner_core.concepts.concept import Concept
from bioner_core.export.export import export_store
from bioner_core.export.provenance import Selection
from bioner_core.linking.linked_documents import with_concepts
from bioner_core.linking.linker import Linker
from bioner_core.store.layout import Store
from bioner_core.store.newest import open_newest
from tests.bioner_core.concept_samples import made_vocabulary
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
