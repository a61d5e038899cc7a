"""Which runs worked on a store: the reports of annotation runs, and the ledger of nightly jobs and backfills."""

from collections import Counter
from datetime import UTC, datetime

from bioner_core.store.history.ledger import JobRun, applied_files, job_runs, ledger_kinds
from bioner_core.store.layout import Store, input_key_of
from bioner_core.store.manifest import total
from bioner_core.store.snapshot.run_history import RunHistory, RunRow
from pipelines.job_report import read_report, report_path
from pipelines.outcome import ShardOutcome, Status

ANNOTATION = "annotate"
"""`job` of a run that annotated inputs; a nightly job or a backfill has one such run for each file it applies."""


_COMMITTED = (Status.COMMITTED, Status.REFINISHED)


def run_history(store: Store) -> RunHistory:
    """All runs that ended by themselves, and the run that committed each shard.

    A shard that a nightly job or a backfill applied belongs to that job, any other one to its annotation run. A run
    that was killed left no report, and the shards that it committed have no run.

    Raises:
        StoreError: a report or a ledger entry is damaged.
    """
    runs: list[RunRow] = []
    run_of_shard: dict[str, str] = {}
    for path in sorted(store.jobs.glob("[!.]*.json")):
        outcomes = read_report(report_path(store, path.stem))
        runs.append(_annotation_run(path.stem, outcomes))
        run_of_shard |= {one.shard_id: path.stem for one in outcomes if one.status in _COMMITTED}
    runs += [_job_run(one) for one in job_runs(store)]
    return RunHistory(tuple(runs), run_of_shard | _runs_of_jobs(store, run_of_shard))


def _runs_of_jobs(store: Store, shards: dict[str, str]) -> dict[str, str]:
    entries = [entry for kind in ledger_kinds(store) for entry in applied_files(store, kind)]
    run_of_input = {entry.input_key: entry.run_id for entry in sorted(entries, key=lambda one: one.applied)}
    found = ((shard, run_of_input.get(input_key_of(shard))) for shard in shards)
    return {shard: run for shard, run in found if run is not None}


def _annotation_run(run_id: str, outcomes: list[ShardOutcome]) -> RunRow:
    ended = Counter(one.status for one in outcomes)
    committed = [one for one in outcomes if one.status in _COMMITTED]
    return RunRow(
        run_id=run_id,
        job=ANNOTATION,
        started=_started(run_id),
        seconds=round(sum(one.seconds for one in committed), 3),
        shards_committed=len(committed),
        shards_skipped=ended[Status.SKIPPED],
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
    try:
        found = datetime.strptime(run_id.partition("-")[0], "%Y%m%dT%H%M%S_%fZ")
    except ValueError:
        return ""
    return found.replace(tzinfo=UTC).isoformat(timespec="seconds")
