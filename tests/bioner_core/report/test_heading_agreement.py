"""Linked concepts against NLM's own headings: by month, without gold."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bioner_core.concepts.concept import Concept
from bioner_core.documents import Correction, Heading
from bioner_core.linking.linker import Linker
from bioner_core.report import agreement
from bioner_core.report.agreement import agreement_of
from bioner_core.report.figures import report_figures
from bioner_core.report.page import render_report
from bioner_core.store.compaction.compact import CompactionSettings, compact_store
from bioner_core.store.layout import Store
from bioner_core.store.manifest import write_manifest
from bioner_core.store.query.named_queries import named_query
from bioner_core.store.query.query_session import query_session
from bioner_core.store.reading import read_manifests
from tests.bioner_core.concept_samples import made_vocabulary
from tests.bioner_core.export.awkward_store import commit, document, mentions_of
from tests.bioner_core.linking.linked_concepts import link_alone

MEMORY = 256 * 1024**2
FEVER, ACID = Heading("mesh", "D1", "Fever", "therapy", major=True), Heading("mesh-chemical", "C2", "acid", "7-1")
NOTICE = Correction("RetractionIn", "J. 2020", "pubmed:99")


def fill(store: Path, month: str, first: int, headings: Sequence[Sequence[Heading]]) -> None:
    """Documents that name fever and acid, filed under these headings, committed in a month."""
    documents = []
    for number, filed in enumerate(headings):
        made = document(f"pubmed:{first + number}", ("title", "fever and acid"), record_number=number)
        meta = replace(made.meta, ids=(), headings=tuple(filed), publication_types=("Review",), corrections=(NOTICE,))
        made = replace(made, meta=meta)
        found = [("fever", "bc5cdr", "Disease", True), ("acid", "bc5cdr", "Chemical", True)]
        documents.append((made, mentions_of(made, found)))
    commit(store, documents, name=month)
    for one in read_manifests(Store(store)):
        if one.input_file == month:
            write_manifest(Store(store), replace(one, created=f"{month}-05T00:00:00+00:00"))


@pytest.fixture(params=["snapshot", "shards"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Two months: in the first all headings are found, in the second one of two documents is filed under neither."""
    folder = tmp_path / "store"
    fill(folder, "2026-01", 1, [[FEVER, ACID], [FEVER, replace(FEVER, qualifier="")]])
    fill(folder, "2026-02", 5, [[ACID], [Heading("mesh", "D9", "Mice")], []])
    if request.param == "snapshot":
        compact_store(Store(folder), CompactionSettings(memory_bytes=MEMORY))
    words = [Concept("MESH:D1", "fever", "Disease"), Concept("MESH:C2", "acid", "Chemical")]
    link_alone(Store(folder), Linker([made_vocabulary(tmp_path, *words)]))
    return folder


def named(store: Path, name: str, **given: str) -> list[dict[str, Any]]:
    """The answer to a named query."""
    query = named_query(name)
    with query_session(Store(store), memory_bytes=MEMORY) as session:
        return list(session.ask(query.sql, query.bound(given)).read_all().to_pylist())


def test_agreement_by_month_and_type(store: Path) -> None:
    """Catches qualifiers that count twice, documents that nobody indexed, and a heading of another type."""
    found = [
        (row["month"], row["type"], row["documents"], row["linked"], row["headings"], row["agreeing"])
        for row in named(store, "heading_agreement")
    ]
    assert found == [
        ("2026-02", "Chemical", 2, 2, 1, 1),
        ("2026-02", "Disease", 2, 2, 0, 0),
        ("2026-01", "Chemical", 2, 2, 1, 1),
        ("2026-01", "Disease", 2, 2, 2, 2),
    ]
    [row] = named(store, "heading_agreement", type="Disease", limit="1")
    assert (row["share_of_linked"], row["share_of_headings"]) == (0.0, None)


def test_the_newest_month_is_judged_against_those_before(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches an alarm on a handful of headings, and none where the shares fall."""
    with query_session(Store(store), memory_bytes=MEMORY) as session:
        quiet = agreement_of(session)
        monkeypatch.setattr(agreement, "LEAST_HEADINGS", 0)
        loud = agreement_of(session)
        page = render_report(report_figures(session))
    assert quiet is not None
    assert loud is not None
    assert (quiet["large"], loud["large"]) == (False, True)
    chemical, disease = loud["changes"]
    assert (chemical["month"], chemical["share_of_linked"], chemical["large"]) == ("2026-02", 0.0, False)
    assert (disease["share_of_linked"], disease["share_of_headings"], disease["large"]) == (-1.0, None, True)
    assert "Agreement with MeSH headings" in page
    assert "-1.000" in page


def test_a_store_without_links_or_headings_has_no_such_part(tmp_path: Path) -> None:
    """Catches a report that fails, or an empty table, where nothing can be compared."""
    store = tmp_path / "store"
    fill(store, "2026-01", 1, [[FEVER]])
    with query_session(Store(store), memory_bytes=MEMORY) as session:
        assert agreement_of(session) is None
        assert "Agreement" not in render_report(report_figures(session))


def test_headings_types_and_notices_can_be_asked(store: Path) -> None:
    """Catches what the record says that is stored and cannot be asked for."""
    top = named(store, "top_headings", vocabulary="mesh")
    assert [(row["id"], row["documents"], row["as_main_topic"]) for row in top] == [("D1", 2, 2), ("D9", 1, 0)]
    for heading in ("D1", "fever"):
        rows = named(store, "heading_documents", heading=heading)
        assert [row["doc_id"] for row in rows] == ["pubmed:1", "pubmed:2"]
    assert (rows[1]["qualifiers"], rows[1]["publication_types"]) == (["", "therapy"], ["Review"])
    assert rows[0]["notices"] == ["RetractionIn"]
    notices = named(store, "notices", kind="RetractionIn")
    assert [(row["doc_id"], row["notice_doc_id"], row["mentions"]) for row in notices[:1]] == [
        ("pubmed:1", "pubmed:99", 2)
    ]
    assert named(store, "notices", kind="ErratumIn") == []
