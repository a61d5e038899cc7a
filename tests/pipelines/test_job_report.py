"""Reports of runs: what they name, what they count, and what is known without them."""

import json
from pathlib import Path

import pytest
from annotate_fakes import make_job, run, write_jsonl

from bioner_core.errors import DamagedFileError, StoreError
from bioner_core.store.layout import Store
from bioner_core.typed_json import with_checksum, without_checksum
from pipelines.job_report import latest_report, lost_shard_faults, read_report, renew_reports, report_paths
from pipelines.summary import Status
from pipelines.watch.run_history import run_history

TEXTS = ["One.", "Two.", "Three.", "Four."]


def twice(tmp_path: Path) -> Store:
    """A store of four shards, all of which a second run has skipped."""
    name = write_jsonl(tmp_path / "in.jsonl", TEXTS)
    for _ in range(2):
        summary = run(make_job(tmp_path / "s", name, shard_records=1))
    assert (summary.shards_skipped, summary.shards_committed, summary.counts.records_in) == (4, 0, 4)
    return Store(tmp_path / "s")


def rewritten(path: Path, **more: object) -> None:
    """Change a report as another bioner would have written it."""
    path.write_text(json.dumps(with_checksum(without_checksum(json.loads(path.read_text())) | more)))


def test_shards_that_were_skipped_are_counted_and_not_named(tmp_path: Path) -> None:
    """Would catch a report of 20 MB for each rerun of a backfill in which nothing was left to do."""
    store = twice(tmp_path)
    first, second = report_paths(store)
    assert [len(read_report(path).outcomes) for path in (first, second)] == [4, 0]
    [skipped] = read_report(second).skipped
    assert (skipped.shards, skipped.counts.records_in) == (4, 4)
    assert all(one.shard_id not in second.read_text(encoding="utf-8") for one in read_report(first).outcomes)
    assert sorted(one.shards_skipped for one in run_history(store).runs) == [0, 4]


def test_reports_that_name_what_was_skipped_are_read(tmp_path: Path) -> None:
    """Would catch a history of an older store without the shards that its runs skipped."""
    store = twice(tmp_path)
    first, second = (path for path in report_paths(store) if isinstance(path, Path))
    rows = [row | {"status": "skipped"} for row in json.loads(first.read_text())["shards"]]
    flat = {"shards": rows, "finish": {}}
    second.write_text(json.dumps(with_checksum(flat)))
    report = read_report(second)
    assert (report.outcomes, [one.shards for one in report.skipped]) == ((), [4])


def test_a_lost_manifest_is_noticed_though_the_run_that_made_it_left_no_report(tmp_path: Path) -> None:
    """Would catch a shard that is gone without a word: it was committed by a run that was killed, and a later one only
    counted it."""
    store = twice(tmp_path)
    report_paths(store)[0].unlink()
    assert list(lost_shard_faults(store)) == []
    [lost, *_] = sorted(store.folder.glob("manifests/*.json"))
    lost.unlink()
    [fault] = lost_shard_faults(store)
    assert lost.stem in fault


def test_a_damaged_report_is_made_anew_with_shards_that_later_runs_skipped(tmp_path: Path) -> None:
    """Would catch a run that has committed nothing any more, since a rerun has named its shards."""
    store = twice(tmp_path)
    first = report_paths(store)[0]
    whole = read_report(first)
    assert isinstance(first, Path)
    first.write_text(first.read_text().replace("committed", "comnitted"))
    with pytest.raises(DamagedFileError):
        read_report(first)
    [told] = renew_reports(store)
    assert first.name in told
    assert {one.shard_id for one in read_report(first).outcomes} == {one.shard_id for one in whole.outcomes}
    assert {one.status for one in read_report(first).outcomes} == {Status.COMMITTED}
    assert renew_reports(store) == []


def test_a_report_of_a_newer_bioner_stays(tmp_path: Path) -> None:
    """Would catch an older program that takes a newer report for damage, and writes over it."""
    store = twice(tmp_path)
    path = report_paths(store)[0]
    assert isinstance(path, Path)
    rewritten(path, shards=[row | {"joules": 1} for row in json.loads(path.read_text())["shards"]])
    newer = path.read_bytes()
    assert renew_reports(store) == []
    with pytest.raises(StoreError, match=r"newer bioner.*joules"):
        read_report(path)
    assert path.read_bytes() == newer
    assert latest_report(store) != path
