"""The ledger, names of releases, and the order of inputs."""

import json
from pathlib import Path

import pytest

from bioner_core.errors import StoreError
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.history.input_order import read_input_order
from bioner_core.store.history.ledger import (
    AppliedFile,
    JobRun,
    Reload,
    applied_files,
    damaged_entries,
    job_runs,
    ledger_kinds,
    new_run_id,
    record_applied,
    record_reload,
    record_run,
    reloads,
    standing_files,
)
from bioner_core.store.history.release_names import Release, release_of
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Counts
from bioner_core.typed_json import with_checksum, without_checksum

NEW_YEAR = "2026-01-01T00:00:00.000001+00:00"


def entry(number: int, *, key: str = "", year: int = 2026, applied: str = NEW_YEAR) -> AppliedFile:
    """An entry of a PubMed file."""
    name = f"pubmed{year % 100}n{number:04d}.xml.gz"
    return AppliedFile(
        kind="pubmed",
        name=name,
        order=(year, number),
        input_key=key or f"{name}-abc",
        bytes=3,
        md5="m",
        sha256="s",
        stamp="3 now",
        fingerprint="f",
        run_id="r",
        applied=applied,
        seconds=1.5,
        rows_sent=2,
        counts=Counts(records_in=2, annotated=1, unchanged=1),
    )


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("pubmed26n0001.xml.gz", Release(2026, 1)),
        ("medline04n0612.xml.gz", Release(2004, 612)),
        ("pubmed26n10000.xml", Release(2026, 10000)),
        ("pubmed26n0001.xml.gz.md5", None),
        ("pubmed26n0001_stats.html", None),
        ("xpubmed26n0001.xml.gz", None),
    ],
)
def test_names_tell_year_and_number(name: str, place: Release | None) -> None:
    """Would catch a statistics page that passes for a release, or numbers that sort as text."""
    assert release_of(name) == place


def test_what_is_entered_is_read_back_in_order(tmp_path: Path) -> None:
    """Would catch an entry that loses a field, or one that sorts by its name."""
    entries = [entry(2), entry(10), entry(1, year=2027)]
    for one in reversed(entries):
        record_applied(Store(tmp_path), one)
    assert applied_files(Store(tmp_path), "pubmed") == entries
    assert ledger_kinds(Store(tmp_path)) == ["pubmed"]
    run = JobRun(run_id=new_run_id(), job="j", started="t", seconds=1.0, applied=("a",), exit_code=0)
    record_run(Store(tmp_path), run)
    assert job_runs(Store(tmp_path)) == [run]
    reload = Reload(kind="pubmed", year=2027, run_id="r", applied="t", documents_before=2, documents_after=1)
    record_reload(Store(tmp_path), reload)
    assert reloads(Store(tmp_path), "pubmed") == [reload]
    assert reloads(Store(tmp_path), "pmc") == []


def test_entries_are_never_overwritten(tmp_path: Path) -> None:
    """Would catch a history that forgets that a file was applied before with other content, or another model."""
    first, again = entry(1), entry(1, applied="2026-01-02T00:00:00.000001+00:00")
    other = entry(1, key="pubmed26n0001.xml.gz-def", applied="2026-01-03T00:00:00.000001+00:00")
    for one in (first, again, other):
        record_applied(Store(tmp_path), one)
    assert applied_files(Store(tmp_path), "pubmed") == [first, again, other]
    assert standing_files(applied_files(Store(tmp_path), "pubmed")) == {(2026, 1): other}
    assert read_input_order(Store(tmp_path)).retired == {first.input_key}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kind": "pubmed"}'])
def test_a_damaged_entry_is_named(tmp_path: Path, text: str) -> None:
    """Would catch a ledger that is read as if a file had never been applied."""
    record_applied(Store(tmp_path), entry(1))
    path = next((tmp_path / "ledger" / "pubmed").iterdir())
    path.write_text(text)
    with pytest.raises(StoreError, match=path.name):
        applied_files(Store(tmp_path), "pubmed")


def rewritten(store: Path, **more: object) -> Path:
    """The only entry of PubMed, as another bioner would have written it; None leaves a name out."""
    [path] = (store / "ledger" / "pubmed").iterdir()
    flat = without_checksum(json.loads(path.read_text())) | more
    path.write_text(json.dumps(with_checksum({name: value for name, value in flat.items() if value is not None})))
    return path


def test_an_entry_of_a_newer_bioner_is_refused_and_stays(tmp_path: Path) -> None:
    """Would catch an older program that takes a newer entry for damage: it applies the file again, and removes it."""
    record_applied(Store(tmp_path), entry(1))
    path = rewritten(tmp_path, pages=3)
    heard: list[StoreError] = []
    with pytest.raises(StoreError, match=r"newer bioner.*pages.*Upgrade bioner"):
        applied_files(Store(tmp_path), "pubmed", on_damaged=heard.append)
    assert heard == []
    assert path.exists()
    assert "newer bioner" in damaged_entries(Store(tmp_path))[0]
    assert any("newer bioner" in fault for fault in verify_store(Store(tmp_path)).faults)


def test_an_entry_from_before_a_count_was_added_is_whole(tmp_path: Path) -> None:
    """Would catch an upgrade after which every file of the store is applied again."""
    record_applied(Store(tmp_path), entry(1))
    rewritten(tmp_path, counts={"records_in": 2, "annotated": 1, "unchanged": 1})
    assert applied_files(Store(tmp_path), "pubmed") == [entry(1)]


def test_entering_a_file_again_removes_its_damaged_entries_alone(tmp_path: Path) -> None:
    """Would catch a damaged entry that stays for ever though a whole one says what it said, and one that is lost."""
    for one in (entry(1), entry(2)):
        record_applied(Store(tmp_path), one)
    damaged = []
    for path in (tmp_path / "ledger" / "pubmed").iterdir():
        path.write_text("{")
    assert applied_files(Store(tmp_path), "pubmed", on_damaged=lambda error: damaged.append(error.path)) == []
    record_applied(Store(tmp_path), entry(1, applied="2026-02-01T00:00:00.000001+00:00"), damaged=damaged)
    assert ["n0002" in one for one in damaged_entries(Store(tmp_path))] == [True]
