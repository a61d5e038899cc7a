"""A report: its figures, its warning, and its page."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.errors import ConfigurationError
from bioner_core.report.drift import largest_gap, total_variation
from bioner_core.report.figures import report_figures
from bioner_core.report.page import render_report, shown_names_of
from bioner_core.store.layout import Store
from bioner_core.store.manifest import write_manifest
from bioner_core.store.query.query_session import query_session
from bioner_core.store.reading import read_manifests
from bioner_core.store.snapshot.run_history import RunHistory, RunRow
from bioner_core.viewer.colours import meaning_of
from tests.bioner_core.evaluation.test_html_report import Outline
from tests.bioner_core.export.awkward_store import awkward_store, commit, document, mentions_of
from tests.bioner_core.viewer.hostile_text import HOSTILE, assert_shown_safely

MEMORY = 256 * 1024**2


def figures_of(store: Path, *, run: str | None = None) -> dict[str, Any]:
    """The figures of a store in which each input was a run of its own, the names of the inputs giving their order."""
    manifests = list(read_manifests(Store(store)))
    runs = [_run(one.input_file) for one in manifests]
    history = RunHistory(tuple(runs), {one.shard_id: f"run-{one.input_file}" for one in manifests})
    with query_session(Store(store), memory_bytes=MEMORY, history=history) as session:
        return report_figures(session, run=run)


def _run(name: str) -> RunRow:
    return RunRow(
        run_id=f"run-{name}", job="annotate", started=name, seconds=1.0, shards_committed=1, shards_skipped=0,
        shards_failed=0,
    )  # fmt: skip


def two_runs(store: Path, *, later_type: str = "protein", later_accepted: bool = True) -> Path:
    """A store of two runs of 200 documents with a mention each; the later one may be of another kind."""
    for name, first, kind, accepted in (("a", 0, "protein", True), ("b", 200, later_type, later_accepted)):
        documents = []
        for number in range(200):
            one = document(f"pubmed:{first + number}", ("title", "The CD28"), record_number=number)
            documents.append((one, mentions_of(one, [("CD28", "genia", kind, accepted)])))
        commit(store, documents, name=name)
    return store


def test_figures_are_those_of_the_store(tmp_path: Path) -> None:
    """Catches sums of the wrong column, rejected candidates among the accepted, and old versions that count."""
    store = awkward_store(tmp_path)
    figures = figures_of(store)
    counts = figures["counts"]
    assert (counts["documents"], counts["candidates"], counts["accepted"], counts["nested"]) == (4, 15, 13, 4)
    assert (counts["records_in"], counts["annotated"], counts["rejected"], counts["shards"]) == (4, 4, 0, 3)
    assert figures["throughput"] == {
        "documents_per_second": 0.67,
        "sentences_per_second": 1.17,
        "sentences_a_second": 1.17,
    }
    by_type = {(one["label_set"], one["type"]): (one["accepted"], one["turned_down"]) for one in figures["types"]}
    assert by_type["cmeee", "sym"] == (1, 1)
    assert {one["tenth"]: (one["accepted"], one["turned_down"]) for one in figures["selector_scores"]} == {
        1: (0, 2),
        9: (13, 0),
    }
    assert [(one["depth"], one["mentions"]) for one in figures["depths"]] == [(0, 9), (1, 4)]
    assert figures["top_entities"][0]["entity"] == "cd28"
    assert (figures["top_entities"][0]["mentions"], figures["top_entities"][0]["documents"]) == (3, 2)
    assert {one["doc_id"] for one in figures["newest_documents"]} == {
        "pubmed:7", "cnki:肺|炎 1", "jsonl:a/../b", "jsonl:none"
    }  # fmt: skip
    json.dumps(figures)


def test_what_never_reached_the_model_is_said(tmp_path: Path) -> None:
    """Catches a report that looks like a quiet night where documents were not sent, or lost text."""
    store = awkward_store(tmp_path)
    assert figures_of(store)["losses"] == []
    [first, *_] = read_manifests(Store(store))
    write_manifest(
        Store(store), replace(first, counts=replace(first.counts, not_sent=3, lossy=2, lost_characters=1234))
    )
    figures = figures_of(store)
    assert (figures["counts"]["not_sent"], figures["counts"]["lost_characters"]) == (3, 1234)
    page = render_report(figures)
    assert "3 documents with text of which nothing was sent" in page
    assert "1,234 characters of 2 documents" in page


def test_a_run_has_its_own_figures(tmp_path: Path) -> None:
    """Catches figures of the whole store under the name of a run, and a mistyped run that gives zeros."""
    store = awkward_store(tmp_path)
    figures = figures_of(store, run="run-zh.txt")
    assert (figures["counts"]["documents"], figures["counts"]["candidates"]) == (1, 5)
    assert figures["counts"]["records_in"] == 1
    assert {one["label_set"] for one in figures["types"]} == {"cmeee"}
    assert [one["doc_id"] for one in figures["newest_documents"]] == ["cnki:肺|炎 1"]
    with pytest.raises(ConfigurationError, match=r"run-x.*run-zh\.txt"):
        figures_of(store, run="run-x")


def test_a_large_difference_is_a_warning(tmp_path: Path) -> None:
    """Catches drift that goes unnoticed, and the run before taken for the run itself."""
    figures = figures_of(two_runs(tmp_path / "store", later_type="DNA"))
    drift = figures["drift"]
    assert (drift["run"], drift["previous_run"], drift["large"]) == ("run-b", "run-a", True)
    found = {one["name"]: one for one in drift["differences"]}
    assert found["mentions of another type, share"]["value"] == 1.0
    assert [name for name, one in found.items() if one["large"]] == ["mentions of another type, share"]
    assert 'role="alert"' in render_report(figures)


def test_a_change_of_scores_is_a_warning_too(tmp_path: Path) -> None:
    """Catches a selector that turns everything down and a report that says all is well."""
    drift = figures_of(two_runs(tmp_path / "store", later_accepted=False))["drift"]
    found = {one["name"]: one for one in drift["differences"]}
    assert found["accepted candidates, change of the share"]["value"] == -1.0
    assert found["selector scores, largest gap of the distributions"]["large"]
    assert found["mentions per document, ratio"]["value"] is None


def test_equal_runs_and_small_ones_warn_of_nothing(tmp_path: Path) -> None:
    """Catches warnings that come every night, or that chance makes."""
    assert not figures_of(two_runs(tmp_path / "equal"))["drift"]["large"]
    small = figures_of(awkward_store(tmp_path))["drift"]
    assert not small["large"]
    assert not any(one["judged"] for one in small["differences"])
    assert figures_of(two_runs(tmp_path / "equal"), run="run-a")["drift"] is None


SHARES = st.dictionaries(st.integers(0, 5), st.integers(1, 9), min_size=1).map(
    lambda found: {name: number / sum(found.values()) for name, number in found.items()}
)


@given(SHARES, SHARES)
def test_distances_are_distances(one: dict[int, float], other: dict[int, float]) -> None:
    """Catches a distance that depends on the side, leaves 0 to 1, or sees a difference where there is none."""
    for distance in (total_variation, largest_gap):
        there, back = distance(one, other), distance(other, one)
        assert there is not None
        assert there == pytest.approx(back)
        assert -1e-9 <= there <= 1 + 1e-9
        assert distance(one, one) == pytest.approx(0)
        assert distance(one, {}) is None
    gap, variation = largest_gap(one, other), total_variation(one, other)
    assert gap is not None
    assert variation is not None
    assert gap <= variation + 1e-9


def test_no_text_of_a_dump_becomes_markup(tmp_path: Path) -> None:
    """Catches a title, journal, entity, type or id that is written into the page as it is."""
    one = document(f"pubmed:{HOSTILE}", ("title", HOSTILE))
    one = replace(one, meta=replace(one.meta, journal=HOSTILE, year=HOSTILE, input_file=HOSTILE))
    commit(tmp_path, [(one, mentions_of(one, [("<script>", HOSTILE, HOSTILE, True)]))], name="a")
    assert_shown_safely(render_report(figures_of(tmp_path)))


def test_the_page_serves_every_reader_without_the_network(tmp_path: Path) -> None:
    """Catches charts without a name, tables out of reach of the keyboard, a page that loads something or is heavy."""
    page = render_report(figures_of(awkward_store(tmp_path)))
    seen = Outline(page).seen
    charts = [attributes for tag, attributes in seen if tag == "svg"]
    assert len(charts) == 4  # nothing was rejected
    assert all(one.get("role") == "img" and one.get("aria-label") for one in charts)
    assert all(one.get("tabindex") == "0" for _, one in seen if one.get("class") == "scroll")
    assert 'name="viewport"' in page
    assert "prefers-color-scheme: dark" in page
    assert "default-src 'none'" in page
    assert len(page) < 2_000_000


def test_times_are_short_and_stay_on_one_line(tmp_path: Path) -> None:
    """Catches tables that break a moment in two lines, which is what a browser does with ISO 8601."""
    figures = figures_of(awkward_store(tmp_path))
    committed = figures["newest_documents"][0]["committed"]
    shown = f'<td class="t"><time datetime="{committed}">{committed[:10]} {committed[11:16]}</time></td>'
    assert shown in render_report(figures).replace("&#43;", "+")


def test_an_empty_store_has_a_page(tmp_path: Path) -> None:
    """Catches a division by nothing."""
    figures = figures_of(tmp_path)
    assert figures["throughput"]["documents_per_second"] is None
    Outline(render_report(figures))


def test_short_names_of_types_are_explained() -> None:
    """Would catch `dis` and `bod` in a table, which nobody can look up on the page."""
    types = [{"type": "dis", "label_set": "cmeee"}, {"type": "dis", "label_set": "mine"}]
    assert shown_names_of(types) == [("dis", meaning_of("cmeee", "dis"))]
