"""Which runs worked on a store: the reports of annotation runs, and the ledger of nightly jobs and backfills."""

from collections import Counter

from bioner_core.errors import DamagedFileError
from bioner_core.store.history.ledger import JobRun, applied_files, job_runs, ledger_kinds
from bioner_core.store.layout import Store, input_key_of
from bioner_core.store.manifest import total
from bioner_core.store.snapshot.run_history import RunHistory, RunRow
from pipelines.job_report import RunReport, read_report, report_paths, run_start
from pipelines.summary import Status

ANNOTATION = "annotate"
"""`job` of a run that annotated inputs; a nightly job or a backfill has one such run for each file it applies."""


_COMMITTED = (Status.COMMITTED, Status.REFINISHED)


def run_history(store: Store) -> RunHistory:
    """All runs that ended by themselves, and the run that committed each shard.

    A shard that a nightly job or a backfill applied belongs to that job, any other one to its annotation run. A run
    that was killed left no report, and the shards that it committed have no run. Reports and ledger entries that are
    damaged are left out, as lost ones are.

    Raises:
        StoreError: a report of this very process could not be written.
    """
    runs: list[RunRow] = []
    run_of_shard: dict[str, str] = {}
    for path in report_paths(store):
        try:
            report = read_report(path)
        except DamagedFileError:
            continue
        runs.append(_annotation_run(path.stem, report))
        run_of_shard |= {one.shard_id: path.stem for one in report.outcomes if one.status in _COMMITTED}
    runs += [_job_run(one) for one in job_runs(store, on_damaged=_left_out)]
    return RunHistory(tuple(runs), run_of_shard | _runs_of_jobs(store, run_of_shard))


def _left_out(_: DamagedFileError) -> None:
    """`bioner verify` names it."""


def _runs_of_jobs(store: Store, shards: dict[str, str]) -> dict[str, str]:
    entries = [entry for kind in ledger_kinds(store) for entry in applied_files(store, kind, on_damaged=_left_out)]
    run_of_input = {entry.input_key: entry.run_id for entry in sorted(entries, key=lambda one: one.applied)}
    found = ((shard, run_of_input.get(input_key_of(shard))) for shard in shards)
    return {shard: run for shard, run in found if run is not None}


def _annotation_run(run_id: str, report: RunReport) -> RunRow:
    outcomes = report.outcomes
    ended = Counter(one.status for one in outcomes)
    committed = [one for one in outcomes if one.status in _COMMITTED]
    return RunRow(
        run_id=run_id,
        job=ANNOTATION,
        started=_started(run_id),
        seconds=round(sum(one.seconds for one in committed), 3),
        shards_committed=len(committed),
        shards_skipped=sum(one.shards for one in report.skipped),
        shards_failed=ended[Status.FAILED],
        message=next((one.message for one in outcomes if one.status is Status.FAILED), None),
        counts=total(one.counts for one in committed),
    )


def _job_run(run: JobRun) -> RunRow:
    return RunRow(
        run_id=run.run_id,
        job=run.job,
        started=run.started,
        seconds=run.seconds,
        shards_committed=0,
        shards_skipped=0,
        shards_failed=0,
        exit_code=run.exit_code,
        message=run.message or None,
        counts=run.counts,
    )


def _started(run_id: str) -> str:
    """The time in the id of a run, as ISO 8601; empty if the id tells none."""
    found = run_start(run_id)
    return "" if found is None else found.isoformat(timespec="seconds")
