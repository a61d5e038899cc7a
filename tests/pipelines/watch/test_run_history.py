"""Which run committed a shard: what reports and the ledger say."""

from pathlib import Path

from bioner_core.document_pass.settings import FinishSettings
from bioner_core.store.history.ledger import AppliedFile, JobRun, record_applied, record_run
from bioner_core.store.layout import Store, input_key, shard_id
from bioner_core.store.manifest import Counts
from pipelines.job_report import write_report
from pipelines.summary import ShardOutcome, Status
from pipelines.watch.run_history import run_history

RUN = "20260102T030405_000006Z-aaaa"
PLAIN = shard_id(input_key("a.xml", "1"), 0, last=3)
NIGHTLY = shard_id(input_key("b.xml", "2"), 0, last=3)


def test_a_store_without_runs_has_no_history(tmp_path: Path) -> None:
    """Catches a compaction that fails on a store whose runs were all killed."""
    assert run_history(Store(tmp_path)).runs == ()


def test_shards_belong_to_the_run_that_committed_them(tmp_path: Path) -> None:
    """Catches a shard that is put down to a later run, which only skipped it, or a nightly job that is not named."""
    counts = Counts(records_in=3, annotated=3)
    committed = [ShardOutcome(Status.COMMITTED, one, "x", counts, 2.0) for one in (PLAIN, NIGHTLY)]
    failed, finish = ShardOutcome(Status.FAILED, "", "y", message="broken"), FinishSettings()
    write_report([*committed, failed], Store(tmp_path).report(RUN), finish=finish)
    skipped = [ShardOutcome(Status.SKIPPED, PLAIN, "x", counts)]
    write_report(skipped, Store(tmp_path).report("20270102T030405_000006Z-bbbb"), finish=finish)
    record_applied(Store(tmp_path), _applied("nightly-1"))
    record_run(
        Store(tmp_path),
        JobRun(run_id="nightly-1", job="nightly pubmed", started="s", seconds=1, applied=(), exit_code=0),
    )
    history = run_history(Store(tmp_path))
    assert history.run_of_shard == {PLAIN: RUN, NIGHTLY: "nightly-1"}
    first, second, nightly = history.runs
    assert (first.started, first.seconds, first.counts.annotated) == ("2026-01-02T03:04:05+00:00", 4.0, 6)
    assert (first.shards_committed, first.shards_failed, first.message) == (2, 1, "broken")
    assert (second.shards_skipped, second.message) == (1, None)
    assert (nightly.job, nightly.exit_code) == ("nightly pubmed", 0)


def _applied(run_id: str) -> AppliedFile:
    return AppliedFile(
        kind="pubmed",
        name="b.xml",
        order=(2026, 1),
        input_key=input_key("b.xml", "2"),
        bytes=1,
        md5="",
        sha256="2",
        stamp="",
        fingerprint="f",
        run_id=run_id,
        applied="2026-01-02T00:00:00",
        seconds=1.0,
        rows_sent=0,
        counts=Counts(),
    )
