"""What all exports share: which documents go out, what may be overwritten, what a fault leaves behind."""

import json
from pathlib import Path

import pytest

from bioner_core.errors import ConfigurationError, StoreError
from bioner_core.export.export import FORMATS, export_store
from bioner_core.export.provenance import Selection
from bioner_core.review.choice import ReviewSettings
from bioner_core.review.review import export_review
from bioner_core.store.compaction.compact import compact_store
from bioner_core.store.layout import Store
from bioner_core.store.reading import shown_manifests, table_files
from bioner_core.typed_json import loaded_json, with_checksum, without_checksum
from tests.bioner_core.export import awkward_store as samples
from tests.bioner_core.export.awkward_store import awkward_store, commit, document, mentions_of
from tests.bioner_core.export.conftest import Export


@pytest.mark.parametrize("format_name", FORMATS)
def test_each_format_writes_its_report_beside_it(export: Export, format_name: str) -> None:
    """Catches a format without provenance, or left-over temporary files."""
    path, report = export(format_name)
    beside = path.with_name(f"{path.name}.export.json")
    assert json.loads(beside.read_text()) == report
    assert (report["documents"], report["mentions"]) == (4, 13)
    assert {one.name for one in path.parent.iterdir()} == {path.name, beside.name}


@pytest.mark.parametrize("format_name", FORMATS)
def test_an_empty_store_gives_an_empty_export(tmp_path: Path, format_name: str) -> None:
    """Catches a format that needs a first document."""
    (tmp_path / "store").mkdir()
    report = export_store(Store(tmp_path / "store"), tmp_path / "out", format_name=format_name, selection=Selection())
    assert (report["documents"], (tmp_path / "out").exists()) == (0, True)


def test_only_the_newest_version_goes_out(tmp_path: Path) -> None:
    """Catches an export that has an article twice, or with the mentions of another version."""
    old = document("pubmed:1", ("title", "CD28 old"))
    new = document("pubmed:1", ("title", "The CD28 new"), version=2)
    for number, one in enumerate((new, old)):
        found = mentions_of(one, [("CD28", "genia", "protein", True)])
        commit(tmp_path / "store", [(one, found)], name=f"{number}.jsonl")
    export_store(Store(tmp_path / "store"), tmp_path / "out", format_name="jsonl", selection=Selection())
    [line] = (tmp_path / "out").read_text().splitlines()
    assert json.loads(line)["version"] == 2
    assert [one["start"] for one in json.loads(line)["passages"][0]["entities"]] == [4]


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_damaged_store_leaves_nothing_half_written(tmp_path: Path, format_name: str) -> None:
    """Catches an output that looks whole and is not, and one that was whole before and is no more."""
    store = awkward_store(tmp_path)
    out = tmp_path / "exports"
    out.mkdir()
    if format_name not in ("brat", "kgx", "neo4j"):
        (out / "x").write_text("before")
    for path in table_files(Store(store), "mentions"):
        path.write_bytes(bytes(path.stat().st_size))  # of the right size: a torn one is left out and named
    with pytest.raises(StoreError):
        export_store(Store(store), out / "x", format_name=format_name, selection=Selection())
    assert [one.read_text() for one in out.iterdir()] in ([], ["before"])


@pytest.mark.parametrize("format_name", ["brat", "kgx", "neo4j"])
def test_a_folder_in_use_is_refused(store: Path, tmp_path: Path, format_name: str) -> None:
    """Catches an export that mixes its files with those of another."""
    (tmp_path / "mine").write_text("x")
    with pytest.raises(ConfigurationError, match="is there already"):
        export_store(Store(store), tmp_path, format_name=format_name, selection=Selection())


def test_unknown_names_are_refused_with_those_that_exist(store: Path, tmp_path: Path) -> None:
    """Catches a mistyped label set that gives an empty export."""
    with pytest.raises(ConfigurationError, match=r"genai.*it has: bc5cdr, cmeee, genia"):
        export_store(Store(store), tmp_path / "x", format_name="jsonl", selection=Selection("genai"))
    with pytest.raises(ConfigurationError, match="pubtator"):
        export_store(Store(store), tmp_path / "x", format_name="pubtatr", selection=Selection())


def test_a_snapshots_export_names_nothing_that_came_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a report that names a commit, a label set or a model of which the exported snapshot has nothing."""
    store = Store(tmp_path / "store")
    old, new = document("pubmed:1", ("title", "CD28 old")), document("pubmed:2", ("title", "CD28 new"))
    commit(store.folder, [(old, mentions_of(old, [("CD28", "genia", "protein", True)]))], name="a.xml")
    compact_store(store)
    [first] = (one.created for one in shown_manifests(store))
    monkeypatch.setattr(samples, "FINGERPRINT", "beef")
    commit(store.folder, [(new, mentions_of(new, [("CD28", "bc5cdr", "Chemical", True)]))], name="b.xml", sets="bc5cdr")
    later = store.manifest(next(one.shard_id for one in shown_manifests(store) if "bc5cdr" in one.label_sets))
    said = without_checksum(loaded_json(later.read_text(encoding="utf-8")))
    later.write_text(json.dumps(with_checksum(said | {"created": "2999-01-01T00:00:00+00:00"})))
    report = export_store(store, tmp_path / "out", format_name="jsonl", selection=Selection())
    assert (report["documents"], report["newest_commit"]) == (1, first)
    with pytest.raises(ConfigurationError, match=r"'bc5cdr' is not in this store's snapshot .*it has: genia"):
        export_store(store, tmp_path / "no", format_name="jsonl", selection=Selection(label_set="bc5cdr"))
    with pytest.raises(ConfigurationError, match="beef"):
        export_store(store, tmp_path / "no", format_name="jsonl", selection=Selection(fingerprint="beef"))
    with pytest.raises(ConfigurationError, match=r"'bc5cdr' is not in this store's snapshot .*it has: genia"):
        export_review(store, tmp_path / "no", form_name="brat", settings=ReviewSettings(count=1, label_set="bc5cdr"))
    compact_store(store)
    again = export_store(store, tmp_path / "yes", format_name="jsonl", selection=Selection(label_set="bc5cdr"))
    assert (again["mentions"], again["newest_commit"][:4]) == (1, "2999")
