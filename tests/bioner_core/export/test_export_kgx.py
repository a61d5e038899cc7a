"""The graph's tables, read as KGX reads them and checked against the rules of its format and of Biolink.

KGX's TSV reader splits at tabs with no quoting, takes every cell as a string, and splits cells at `|` into lists. A
node must have `id` and `category`, an edge `subject`, `predicate` and `object`; ids are CURIEs; a category is a
CamelCase class and a predicate a snake_case slot of Biolink.
"""

import csv
import math
import random
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, unquote

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.export.biolink import category_of, document_curie, entity_curie, mention_curie, normal_form
from bioner_core.export.export import export_store
from bioner_core.export.kgx_tables import EXACT_SUM
from bioner_core.export.provenance import Selection
from bioner_core.labels.label_set import load_label_set
from bioner_core.store.layout import Store
from bioner_core.store.query.named_queries import named_query
from bioner_core.store.query.query_session import query_session
from tests.bioner_core.export.awkward_store import DOCUMENTS, MENTIONS, Found, commit, document, mentions_of
from tests.bioner_core.export.conftest import Export

CURIE = re.compile(r"[^\s:|]+:[^\s|]+")
CLASS = re.compile(r"biolink:([A-Z][a-z]*)+")
PREDICATES = {
    *("mentions", "mentioned_by", "part_of", "related_to", "same_as"),
    "occurs_together_in_literature_with",
}
ACCEPTED = [one for one in MENTIONS.values() if one.accepted]


def read_tsv(path: Path) -> list[dict[str, str]]:
    """The rows of a TSV as KGX reads it: line feeds end a row, there are no quotes."""
    with path.open(encoding="utf-8", newline="\n") as file:
        head, *lines = file.read().removesuffix("\n").split("\n")
    return [dict(zip(head.split("\t"), line.split("\t"), strict=True)) for line in lines]


@pytest.fixture
def graph(export: Export) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Nodes and edges."""
    folder, _ = export("kgx")
    return read_tsv(folder / "nodes.tsv"), read_tsv(folder / "edges.tsv")


def test_every_row_obeys_the_rules_of_the_format(
    graph: tuple[list[dict[str, str]], list[dict[str, str]]],
) -> None:
    """Catches ids with blanks, rows that break at a tab of a title, edges to nodes that are not there."""
    nodes, edges = graph
    ids = [one["id"] for one in nodes]
    assert len(ids) == len(set(ids))
    assert all(CURIE.fullmatch(one) for one in ids)
    assert all(CLASS.fullmatch(one["category"]) for one in nodes)
    assert len({one["id"] for one in edges}) == len(edges)
    for edge in edges:
        assert {edge["subject"], edge["object"]} <= set(ids)
        assert edge["predicate"].removeprefix("biolink:") in PREDICATES
        assert edge["primary_knowledge_source"].startswith("infores:")
        assert (edge["knowledge_level"], edge["agent_type"]) == ("not_provided", "text_mining_agent")
    assert all(one["provided_by"] == "bioner shards" for one in (*nodes, *edges))
    assert not any("|" in value for one in nodes for key, value in one.items() if key != "xref")


def test_both_forms_hold_the_same_rows(export: Export) -> None:
    """Catches a Parquet file that lost a row, or that has texts with their tabs taken out."""
    folder, report = export("kgx")
    for name in ("nodes", "edges"):
        table = pq.read_table(folder / f"{name}.parquet")
        assert table.column("id").to_pylist() == [one["id"] for one in read_tsv(folder / f"{name}.tsv")]
        assert table.num_rows == sum(number for key, number in report.items() if key.startswith(f"{name}_"))
    assert "|t| > 2" in pq.read_table(folder / "nodes.parquet").column("name").to_pylist()


def test_mentions_lead_to_their_document_entity_and_parent(
    graph: tuple[list[dict[str, str]], list[dict[str, str]]],
) -> None:
    """Catches mentions in the wrong document, and lineage that ends before the input file."""
    nodes, edges = graph
    found = {(one["subject"], one["original_predicate"], one["object"]) for one in edges}
    for one in ACCEPTED:
        name = mention_curie(one.mention_id)
        assert (name, "bioner:mentioned_in", document_curie(one.doc_id)) in found
        assert (name, "bioner:refers_to", entity_curie(one.text, label_set=one.label_set, type_name=one.type)) in found
        if one.parent_id:
            assert (name, "bioner:nested_in", mention_curie(one.parent_id)) in found
    documents = {one["id"]: one for one in nodes if one["category"] == "biolink:Publication"}
    assert set(documents) == {document_curie(one) for one in DOCUMENTS}
    assert {(one["input_file"], one["model_fingerprint"]) for one in documents.values()} == {("in/dump.xml", "f00d")}


def test_counts_and_scores_are_those_of_the_mentions(
    graph: tuple[list[dict[str, str]], list[dict[str, str]]],
) -> None:
    """Catches a co-mention counted once per mention, one of a mention with its part, and scores of one side only."""
    nodes, edges = graph
    cd28 = entity_curie("CD28", label_set="genia", type_name="protein")
    [node] = [one for one in nodes if one["id"] == cd28]
    assert (node["mention_count"], node["document_count"]) == ("3", "2")
    together = {
        frozenset((one["subject"], one["object"])): one
        for one in edges
        if one["original_predicate"] == "bioner:co_mentioned_in_sentence"
    }
    il2 = entity_curie("IL-2", label_set="genia", type_name="protein")
    gene = entity_curie("IL-2 gene\nof", label_set="genia", type_name="DNA")
    chemical = entity_curie("receptor <b>", label_set="bc5cdr", type_name="Chemical")
    outer = entity_curie("CD28 surface receptor", label_set="genia", type_name="protein")
    assert frozenset((il2, gene)) not in together
    assert frozenset((outer, chemical)) not in together
    pair = together[frozenset((cd28, chemical))]
    assert (pair["sentence_count"], pair["document_count"]) == ("1", "1")
    assert float(pair["expected_sentence_count"]) == pytest.approx(0.81)
    [inner] = [one for one in edges if (one["subject"], one["object"]) == (il2, gene)]
    assert (inner["original_predicate"], inner["mention_count"]) == ("bioner:nested_in", "1")
    [place] = [one for one in edges if (one["subject"], one["object"]) == (cd28, "PMID:7")]
    assert (place["mention_count"], place["sentence_count"]) == ("2", "2")


def test_equal_stores_give_equal_files(export: Export) -> None:
    """Catches rows in an order that depends on threads."""
    first, second = export("kgx", name="a")[0], export("kgx", name="b")[0]
    for name in ("nodes.tsv", "edges.tsv"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_an_edge_has_the_sentence_that_supports_it(export: Export) -> None:
    """Catches an edge between two entities without its sentence, or with places of the passage or of the other one."""
    rows = pq.read_table(export("kgx")[0] / "edges.parquet").to_pylist()
    supported = [one for one in rows if one["supporting_text"] is not None]
    assert {one["original_predicate"] for one in supported} == {"bioner:co_mentioned_in_sentence", "bioner:nested_in"}
    for one in supported:
        for side in ("subject", "object"):
            start, end = map(int, one[f"{side}_location_in_text"].split("|"))
            text = one["supporting_text"][start:end]
            assert one[side] in {entity_curie(text, label_set=m.label_set, type_name=m.type) for m in ACCEPTED}
        assert one["supporting_document"]
        assert one["publications"]


def test_a_nested_entity_has_its_surest_sentence(tmp_path: Path) -> None:
    """Catches a sentence of any other of the mentions, or the places of two of which one is not inside the other."""
    found: list[Found] = [("lung cancer", "genia", "DNA", True), ("lung", "genia", "protein", True)]
    one = document("pubmed:7", ("title", "Much is known of lung cancer."), ("abstract", "A lung cancer spreads."))
    mentions = [
        replace(mention, selector_score=0.5 if mention.section == "title" else 0.9)
        for mention in mentions_of(one, found)
    ]
    commit(tmp_path / "store", [(one, mentions)])
    export_store(Store(tmp_path / "store"), tmp_path / "graph", format_name="kgx", selection=Selection())
    edges = pq.read_table(tmp_path / "graph" / "edges.parquet").to_pylist()
    [nested] = [
        edge
        for edge in edges
        if edge["original_predicate"] == "bioner:nested_in" and edge["subject"].startswith("bioner.entity")
    ]
    assert nested["mention_count"] == 2
    assert nested["supporting_text"] == "A lung cancer spreads."
    assert (nested["subject_location_in_text"], nested["object_location_in_text"]) == ("2|6", "2|13")


def copies(folder: Path) -> Path:
    """A store with an abstract of PubMed, the article of PMC that it is of, and another article."""
    text = "Aspirin eased the headache."
    found: list[Found] = [("Aspirin", "genia", "protein", True), ("headache", "genia", "DNA", True)]
    abstract = document("pubmed:7", ("abstract", text))
    article = document("pmc:PMC8", ("abstract", text), ("body", "Headache went with aspirin."), ("body", text))
    other = document("jsonl:1", ("abstract", text))
    for name, one in (("a.xml", abstract), ("b.xml", article), ("c.jsonl", other)):
        commit(folder, [(one, mentions_of(one, found))], name=name)
    return folder


def test_copies_of_an_article_count_once_in_graph_and_query(tmp_path: Path) -> None:
    """Catches a pair that counts twice because PubMed and PMC both have its article, and two ways of counting."""
    store = copies(tmp_path / "store")
    export_store(Store(store), tmp_path / "graph", format_name="kgx", selection=Selection())
    edges = pq.read_table(tmp_path / "graph" / "edges.parquet").to_pylist()
    [copy] = [
        (one["subject"], one["predicate"], one["object"]) for one in edges if "copy_of" in one["original_predicate"]
    ]
    assert copy == ("PMC:PMC8", "biolink:same_as", "PMID:7")
    [pair] = [one for one in edges if one["original_predicate"] == "bioner:co_mentioned_in_sentence"]
    assert (pair["sentence_count"], pair["document_count"], pair["publications"]) == (3, 2, "PMID:7|jsonl:1")
    with query_session(Store(store), memory_bytes=2**28) as session:
        question = named_query("co_mentions")
        [row] = session.ask(question.sql, question.bound({})).read_all().to_pylist()
    assert (row["sentences"], row["documents"]) == (pair["sentence_count"], pair["document_count"])


def test_neo4j_reads_headers_types_and_no_dangling_edge(export: Export) -> None:
    """Catches a header that `neo4j-admin` does not know, ids that are in no node, and lists with another sign."""
    folder, _ = export("neo4j")
    tables = {}
    for name in ("nodes", "edges"):
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            tables[name] = list(csv.DictReader(file))
    ids = {one["id:ID"] for one in tables["nodes"]}
    assert len(ids) == len(tables["nodes"])
    assert {one[":LABEL"] for one in tables["nodes"]} >= {"Publication", "Protein"}
    for edge in tables["edges"]:
        assert {edge[":START_ID"], edge[":END_ID"]} <= ids
        assert edge[":TYPE"] in PREDICATES
    assert {"mention_count:long", "selector_score:double", "accepted:boolean"} <= set(tables["nodes"][0])
    assert {"publications:string[]", "subject_location_in_text:int[]"} <= set(tables["edges"][0])
    places = [one["subject_location_in_text:int[]"] for one in tables["edges"] if one["supporting_text"]]
    assert places
    assert all(re.fullmatch(r"\d+;\d+", one) for one in places)
    assert "neo4j-admin database import full" in (folder / "import.txt").read_text()


def test_sums_of_scores_do_not_depend_on_the_order() -> None:
    """Catches counts of the same store that differ in the last digit because two threads added them up."""
    scores = [random.Random(7).random() for _ in range(5_000)]
    with duckdb.connect() as database:
        database.execute(EXACT_SUM)
        found = set()
        for order in (scores, scores[::-1], sorted(scores)):
            database.register("scored", pa.table({"score": order}))
            found |= set(database.execute("SELECT exact_sum(score) FROM scored").fetchall())
    [(total,)] = found
    assert total == pytest.approx(math.fsum(scores), abs=1e-8)


@given(st.text())
def test_curies_are_encoded_whatever_the_id_holds(name: str) -> None:
    """Catches an id that passes for a plain one and breaks the CURIE."""
    encoded = mention_curie(name).removeprefix("bioner.mention:")
    assert encoded == quote(name, safe=":@#.-_~")


def test_surface_forms_fall_together_as_they_should() -> None:
    """Catches case, width and white space that make two entities of one, and types that fall together."""
    assert normal_form(" IL-2\n Gene ") == normal_form("ＩＬ－２ gene") == "il-2 gene"
    one = entity_curie("IL-2", label_set="genia", type_name="protein")
    assert one == entity_curie("il-2", label_set="genia", type_name="protein")
    assert one != entity_curie("IL-2", label_set="genia", type_name="DNA")
    assert document_curie("pmc:PMC1") == "PMC:PMC1"
    assert CURIE.fullmatch(document_curie("jsonl:a b|c"))
    assert category_of("my-own", "widget") == "biolink:NamedThing"


def test_types_of_every_shipped_label_set_have_a_category() -> None:
    """Catches genes, species or Chinese diseases that are `NamedThing` in the graph, and a protein that is a gene."""
    found = {
        (name, kind): category_of(name, kind)
        for name in ("pubtator", "species", "cell_lines", "gene_families", "craft", "genia", "bc5cdr")
        for kind in load_label_set(name).type_names
    }
    unnamed = {one for one, category in found.items() if category == "biolink:NamedThing"}
    assert unnamed == {("craft", "SO"), ("craft", "MOP")}
    assert found["pubtator", "Gene"] == "biolink:Gene"
    assert found["genia", "protein"] == "biolink:Protein"
    assert category_of("cehrner", "疾病和诊断") == "biolink:Disease"


@pytest.mark.parametrize("format_name", ["kgx", "neo4j"])
def test_names_are_exact_and_the_report_says_for_whom(tmp_path: Path, format_name: str) -> None:
    """Catches an apostrophe before a name, which would be another name in the graph, and files that warn nobody."""
    one = document("pubmed:7", ("title", "=SUM(1) binds"))
    commit(tmp_path / "store", [(one, mentions_of(one, [("=SUM(1)", "genia", "protein", True)]))])
    report = export_store(Store(tmp_path / "store"), tmp_path / "out", format_name=format_name, selection=Selection())
    assert "spreadsheet" in report["note"]
    suffix, sign = {"kgx": ("tsv", "\t"), "neo4j": ("csv", ",")}[format_name]
    with (tmp_path / "out" / f"nodes.{suffix}").open(encoding="utf-8", newline="") as file:
        names = {row["name"] for row in csv.DictReader(file, delimiter=sign)}
    assert names == {"=SUM(1)", "=SUM(1) binds"}


SICI = "10.1002/(SICI)1097-0258(19980815/30)17:15/16<1661::AID-SIM968>3.0.CO;2-2"


@pytest.mark.parametrize("format_name", ["kgx", "neo4j"])
def test_an_id_with_a_separator_in_it_stays_one(tmp_path: Path, format_name: str) -> None:
    """Catches a DOI of Wiley's old form, which has a semicolon, that becomes two ids, and one with a bar."""
    ids = (("pmid", "7"), ("doi", SICI), ("pii", "S0|1%3B"))
    one = document("pubmed:7", ("title", "CD28 binds"))
    one = replace(one, meta=replace(one.meta, ids=ids))
    commit(tmp_path / "store", [(one, mentions_of(one, [("CD28", "genia", "protein", True)]))])
    export_store(Store(tmp_path / "store"), tmp_path / "out", format_name=format_name, selection=Selection())
    if format_name == "kgx":
        [row] = [one for one in read_tsv(tmp_path / "out" / "nodes.tsv") if one["id"] == "PMID:7"]
        found = row["xref"].split("|")
    else:
        with (tmp_path / "out" / "nodes.csv").open(encoding="utf-8", newline="") as file:
            [row] = [one for one in csv.DictReader(file) if one["id:ID"] == "PMID:7"]
        found = row["xref:string[]"].split(";")
    assert [unquote(one) for one in found] == [f"{kind}:{value}" for kind, value in ids]


def test_a_mention_that_begins_before_its_sentence_has_no_sentence(tmp_path: Path) -> None:
    """Catches a place below 0 in the supporting text, where an older way of cutting sentences had another start."""
    one = document("pubmed:7", ("abstract", "It is so. IL-2 binds CD28."))
    found: list[Found] = [("so. IL-2", "genia", "DNA", True), ("CD28", "genia", "protein", True)]
    commit(tmp_path / "store", [(one, [replace(m, sentence_index=1) for m in mentions_of(one, found)])])
    export_store(Store(tmp_path / "store"), tmp_path / "graph", format_name="kgx", selection=Selection())
    edges = pq.read_table(tmp_path / "graph" / "edges.parquet").to_pylist()
    [pair] = [edge for edge in edges if edge["original_predicate"] == "bioner:co_mentioned_in_sentence"]
    assert pair["sentence_count"] == 1
    assert (pair["supporting_text"], pair["subject_location_in_text"]) == (None, None)
