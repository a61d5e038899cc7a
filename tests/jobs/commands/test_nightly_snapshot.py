"""A night ends with the snapshot that analysts read, under the lock of the night."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from job_commands import Command
from test_nightly_verb import EXPORT, publish

from bioner_core.errors import StoreError
from bioner_core.inference.annotation import NullAnnotator
from bioner_core.store.history.lock import LEASE_SECONDS
from bioner_core.store.history.lock_claims import is_live, latest_claim
from bioner_core.store.layout import Store
from bioner_core.store.snapshot.snapshot_manifest import current_id, snapshot_ids
from bioner_core.store.snapshot.snapshot_reading import open_snapshot
from jobs.runs.session import AnnotationSession
from pipelines.annotate import run_annotation
from pipelines.job import AnnotationJob
from pipelines.metrics.metrics import JobPhase
from pipelines.summary import JobSummary
from pipelines.watch.metrics_page import JobPage


@pytest.fixture(autouse=True)
def _no_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """The annotator that finds nothing stands in for the pool."""

    def run(_: AnnotationSession, job: AnnotationJob) -> JobSummary:
        return run_annotation(job, service_factory=NullAnnotator)

    monkeypatch.setattr(AnnotationSession, "run", run)


@pytest.fixture
def night(bioner: Command, tmp_path: Path) -> Command:
    """The nightly PubMed job on the store `s` with the release files in `in`."""
    words = ("nightly", "pubmed", "--from", tmp_path / "in", "--store", tmp_path / "s", "--annotator", "null")
    return lambda *more: bioner(*words, *more)


def test_each_night_shows_what_it_applied(night: Command, tmp_path: Path) -> None:
    """Catches analysts who read last week's state because somebody forgot to compact."""
    publish(tmp_path / "in", 1, 2)
    first = json.loads(night("--json").out)["snapshot"]
    assert (first["made"], first["documents"], first["snapshot_id"]) == (True, 2, current_id(Store(tmp_path / "s")))
    again = json.loads(night("--json").out)["snapshot"]
    assert (again["made"], again["snapshot_id"]) == (False, first["snapshot_id"])
    publish(tmp_path / "in", 2, 3, number=2)
    done = night("--keep-snapshots", "1")
    assert done.code == 0
    assert "is new: 3 documents" in done.out
    snapshot = open_snapshot(Store(tmp_path / "s"))
    assert snapshot is not None
    assert len(list(snapshot.documents())) == 3
    assert snapshot_ids(Store(tmp_path / "s")) == [current_id(Store(tmp_path / "s"))]


def snapshot_time(file: Path) -> float:
    """The time of the snapshot that a file of metrics tells."""
    lines = file.read_text().splitlines()
    [line] = [one for one in lines if one.startswith('bioner_snapshot_timestamp_seconds{command="nightly pubmed"}')]
    return float(line.split()[-1])


def test_the_metrics_tell_the_phases_and_how_old_the_snapshot_is(
    night: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches an alert on a job without progress while it makes a snapshot, and a snapshot that grows old unseen."""
    publish(tmp_path / "in", 1)
    phases, file = list[JobPhase](), tmp_path / "night.prom"
    monkeypatch.setattr(JobPage, "enter", lambda _, phase: phases.append(phase))
    night("--metrics-file", file)
    assert phases == [JobPhase.WAIT, JobPhase.ANNOTATE, JobPhase.SNAPSHOT]
    snapshot = open_snapshot(Store(tmp_path / "s"))
    assert snapshot is not None
    created = datetime.fromisoformat(snapshot.manifest.created).timestamp()
    assert snapshot_time(file) == created
    (tmp_path / "in").rename(tmp_path / "gone")
    assert night("--metrics-file", file, "--no-snapshot").code == 1
    assert snapshot_time(file) == created


def test_exports_are_shown_too(bioner: Command, tmp_path: Path) -> None:
    """Catches a nightly CNKI job that leaves the snapshot to another job."""
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "a.txt").write_text(EXPORT, encoding="utf-8")
    words = ("nightly", "cnki", "--from", tmp_path / "drop", "--store", tmp_path / "s", "--annotator", "null", "--json")
    assert json.loads(bioner(*words).out)["snapshot"]["documents"] == 1


def test_no_snapshot_where_none_is_wanted_or_nothing_is_there(night: Command, tmp_path: Path) -> None:
    """Catches an option without effect, and a snapshot of an empty store after a night that could list nothing."""
    assert night("--json").code == 1
    assert not (tmp_path / "s" / "snapshots").exists()
    publish(tmp_path / "in", 1)
    assert json.loads(night("--json", "--no-snapshot").out)["snapshot"] is None
    assert current_id(Store(tmp_path / "s")) is None


def test_a_night_that_stops_midway_still_shows_what_it_applied(night: Command, tmp_path: Path) -> None:
    """Catches good files that stay unseen for as long as a later one is missing."""
    publish(publish(tmp_path / "in", 1), 3, number=3)
    done = night("--json")
    found = json.loads(done.out)
    assert (done.code, found["files_applied"], found["snapshot"]["documents"]) == (1, 1, 1)


def test_a_snapshot_that_fails_ends_with_1_and_says_why(
    night: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a full disk that passes for a good night; and a snapshot that is made without the lock of the night."""
    publish(tmp_path / "in", 1)
    store = tmp_path / "s"

    def full(*_: object, **__: object) -> None:
        latest = latest_claim(Store(store), "store")
        assert latest is not None
        assert is_live(latest, lease_seconds=LEASE_SECONDS)
        raise StoreError("the disk is full")

    monkeypatch.setattr("jobs.runs.snapshot.compact_store", full)
    done = night("--json")
    found = json.loads(done.out)
    assert (done.code, found["files_applied"], found["snapshot"], found["exit_code"]) == (1, 1, None, 1)
    assert "no new snapshot: the disk is full" in done.err


@pytest.mark.parametrize("words", [("--keep-snapshots", "0"), ("--snapshot-memory", "1MB"), ("--snapshot-memory", "x")])
def test_bad_options_are_named(night: Command, tmp_path: Path, words: tuple[str, str]) -> None:
    """Catches a night of work that ends with a typing error."""
    publish(tmp_path / "in", 1)
    done = night(*words)
    assert (done.code, done.out) == (2, "")
    assert words[0] in done.err
    assert not (tmp_path / "s").exists()
