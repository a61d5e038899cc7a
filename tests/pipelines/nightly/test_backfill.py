"""Backfills: parts that share the work, a rerun that does nothing, another model, and files that fail."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from night_samples import WordAnnotator, context, newest_mentions, night, publish, release, titles_of

from bioner_core.store.history.ledger import applied_files, job_runs
from bioner_core.store.history.lock import Part, StoreLock
from bioner_core.store.layout import Store
from bioner_core.store.reading import read_manifests
from pipelines.feeders.given_shards import GivenShards
from pipelines.nightly.apply import PendingFile
from pipelines.nightly.backfill import of_part, pmc_files, pubmed_files, run_backfill
from pipelines.nightly.pubmed import ReleaseSource
from pipelines.nightly.report import SyncReport
from pipelines.sync.listing import ListedFile
from pipelines.sync.retry import RetryPolicy
from pipelines.watch.progress import SilentProgress


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Five release files; each revises the first citation of the one before."""
    for number in range(1, 6):
        titles = {1: f"Revision {number}", 100 + number: f"Own {number}"}
        publish(tmp_path / "in", f"pubmed26n{number:04d}.xml.gz", release(titles))
    return tmp_path / "in"


def backfill(store: Path, place: Path, *, part: Part = Part(1, 1), fingerprint: str = "model-1") -> SyncReport:  # noqa: B008
    """One machine's part of a backfill."""
    store.mkdir(exist_ok=True)
    annotator = WordAnnotator(store, fingerprint=fingerprint)
    with StoreLock(Store(store), purpose="test", part=part) as lock:
        entries = applied_files(Store(store), "pubmed")
        source = ReleaseSource(places=(str(place),))
        files, gap = pubmed_files(source, entries, policy=RetryPolicy(), fingerprint=annotator.run_fingerprint)
        return run_backfill(
            "pubmed",
            of_part(files, part),
            context=context(store, lock),
            annotator=annotator,
            needs_md5=True,
            progress=SilentProgress(),
            max_reject_rate=0.05,
            gap=gap,
        )


def test_parts_in_any_order_come_to_the_state_of_a_night(tmp_path: Path, place: Path) -> None:
    """Would catch a state that depends on which machine is done first, and files in no part or in two."""
    night(tmp_path / "calm", place)
    done = [backfill(tmp_path / "s", place, part=Part(number, 3)) for number in (3, 1, 2)]
    assert sum(len(report.applied) for report in done) == 5
    assert titles_of(tmp_path / "s") == titles_of(tmp_path / "calm")
    assert newest_mentions(tmp_path / "s") == newest_mentions(tmp_path / "calm")
    assert titles_of(tmp_path / "s")["pubmed:1"] == "Revision 5"
    assert backfill(tmp_path / "s", place).applied == ()
    assert night(tmp_path / "s", place).applied == ()


def test_another_model_does_all_files_again(tmp_path: Path, place: Path) -> None:
    """Would catch a backfill with a new model that finds nothing to do, and a night that starts one unasked."""
    backfill(tmp_path / "s", place)
    assert night(tmp_path / "s", place, annotator=WordAnnotator(tmp_path / "s", fingerprint="model-2")).applied == ()
    report = backfill(tmp_path / "s", place, fingerprint="model-2")
    assert (len(report.applied), report.counts.unchanged) == (5, 0)
    assert len({manifest.fingerprint for manifest in read_manifests(Store(tmp_path / "s"))}) == 1
    assert titles_of(tmp_path / "s")["pubmed:1"] == "Revision 5"


def test_a_file_that_fails_stops_no_other_and_a_gap_is_reported(tmp_path: Path, place: Path) -> None:
    """Would catch a backfill of days that ends at one damaged file, or that hides a missing one."""
    (place / "pubmed26n0002.xml.gz").write_bytes(b"damaged")
    (place / "pubmed26n0004.xml.gz").unlink()
    report = backfill(tmp_path / "s", place)
    assert [one.name[8:13] for one in report.applied] == ["n0001", "n0003", "n0005"]
    assert (report.exit_code(), report.pending) == (1, 1)
    assert "companion says" in report.failures[0]
    assert "number 4 of 2026 is missing" in report.failures[1]


def test_a_run_whose_feeder_is_stopped_is_entered(tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch an error in the feeder of this process that passes by every handler: the run is in no ledger, and
    `bioner status` shows the one before as the last."""

    def broken(*_: object, **__: object) -> None:
        raise ValueError("a defect of the feeder")

    monkeypatch.setattr(GivenShards, "tell", broken)
    report = backfill(tmp_path / "s", place)
    assert (report.applied, report.exit_code(), len(report.failures)) == ((), 1, 1)
    assert "feeder in this process was stopped" in report.failures[0]
    assert "ValueError: a defect of the feeder" in report.failures[0]
    assert [(one.run_id, one.exit_code) for one in job_runs(Store(tmp_path / "s"))] == [(report.run_id, 1)]
    monkeypatch.undo()
    assert len(backfill(tmp_path / "s", place).applied) == 5


def test_parts_cover_names_of_every_kind_once() -> None:
    """Would catch packages that belong to no part."""
    files = [PendingFile(ListedFile(f"PMC{n}.tar.gz", "", "", "", 1), ()) for n in range(200)]
    parts: list[Sequence[PendingFile]] = [of_part(files, Part(number, 7)) for number in range(1, 8)]
    assert sorted(one.listed.name for part in parts for one in part) == sorted(one.listed.name for one in files)
    assert all(10 < len(part) < 60 for part in parts)


def test_articles_of_pmc_are_told_from_lists_of_files(tmp_path: Path) -> None:
    """Would catch a list of files that is annotated, or a package that is applied again and again."""
    for name in ("PMC1.xml", "oa_file_list.csv", "PMC2.tar.gz", "PMC2.tar.gz.md5", "PMC3.nxml"):
        (tmp_path / name).write_bytes(b"x")
    found = pmc_files([str(tmp_path)], [], policy=RetryPolicy(), fingerprint="f")
    assert [one.listed.name for one in found] == ["PMC1.xml", "PMC2.tar.gz", "PMC3.nxml"]
    assert found[1].companion is not None
