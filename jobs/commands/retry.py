"""`bioner retry`: annotate again what was rejected for a reason that may pass."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer

from bioner_core.errors import EXIT_TOO_MANY_REJECTS, ConfigurationError
from bioner_core.records import RejectReason
from bioner_core.spoken import spoken_count
from jobs.options.annotation import AnnotateConfig
from jobs.options.common import Json, takes_option_groups
from jobs.runs.session import AnnotationSession, open_lock
from jobs.terminal.console import only_results_on_stdout, print_result, require_store, say, say_error
from jobs.terminal.progress import ProgressBar
from pipelines.job_report import new_report_path, write_report
from pipelines.retry import (
    PASSING_REASONS,
    FaultyShard,
    RejectTally,
    Retried,
    faulty_shards,
    located_inputs,
    retry_shards,
)
from pipelines.summary import JobSummary, summarise

HELP = """
Annotate again the documents and sentences that were rejected because an actor died, a deadline passed, memory ran out
or the model failed. Only they cost model calls. Name the model and label sets that the store was made with.

\b
Examples:
  bioner retry --store my-store --dry-run
  bioner retry --store my-store --reason deadline --reason out_of_memory --token-budget 2000
  bioner retry /new/place/pubmed26n0001.xml.gz --store my-store

The inputs are read again from where they were; name those that have moved. What was wrong with a record itself does not
pass: correct its file and annotate that. Shards that failed as a whole are made by running `bioner annotate` again.

Exit codes: 0 done or nothing to retry, 1 something failed, 2 wrong usage, 3 still more rejects than allowed.
"""

Moved = Annotated[list[str] | None, typer.Argument(metavar="[INPUT]...", help="Where inputs are now that have moved.")]
Reasons = Annotated[
    list[str] | None,
    typer.Option(
        "--reason", help="actor_died, deadline, out_of_memory or annotation_failed; repeatable. Default: all four."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be tried again; change nothing.")]


@takes_option_groups
def retry(
    config: AnnotateConfig,
    moved: Moved = None,
    reason: Reasons = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Try rejects again; returns the exit code."""
    with only_results_on_stdout():
        require_store(config.store)
        config = replace(config, inputs=tuple(moved or ()))
        done = retry_store(config, passing_reasons(reason or ()), dry_run=dry_run)
    report(done, as_json=as_json)
    return done.exit_code()


def report(done: "RetryReport", *, as_json: bool) -> None:
    """Print what became of the rejects; failures go to standard error, one line each."""
    for failed in done.summary.failures:
        say_error(failed.failure)
    if done.summary.failures:
        say("note: an input that has moved is named as an argument: `bioner retry INPUT --store STORE`")
    if done.exit_code() == EXIT_TOO_MANY_REJECTS:
        say_error(
            f"{done.summary.reject_rate:.1%} rejects are left, more than the {done.summary.max_reject_rate:.1%} allowed"
        )
    if done.of_other_models:
        say(f"note: {spoken_count(done.of_other_models, 'reject')} of another model or other label sets left alone")
    print_result(done.as_json(), as_json=as_json, show=lambda: _show(done))


def _show(done: "RetryReport") -> None:
    before, after = done.before, done.after
    if not done.shards:
        print(f"nothing to retry: no reject for {', '.join(done.reasons)}")
        return
    print(
        f"before  {spoken_count(before.documents, 'document')} and {spoken_count(before.rows, 'row')} rejected "
        f"in {spoken_count(done.shards, 'shard')}"
    )
    for reason, number in sorted(before.reasons.items()):
        print(f"        {number} {reason}")
    if done.dry_run:
        print("nothing was changed")
        return
    print(f"after   {spoken_count(after.documents, 'document')} and {spoken_count(after.rows, 'row')}")
    print(f"{spoken_count(done.rows_asked, 'row')} went to the model in {done.summary.seconds:.1f} s")


@dataclass(frozen=True, slots=True)
class RetryReport:
    """What was to be tried again, `before` and `after`; `summary` has the counts of the shards that hold it.

    `rows_asked` went to the model; `of_other_models` rejects are of shards that another model or choice of label sets
    has made, which are left alone. Nothing was changed with `dry_run`.
    """

    reasons: tuple[str, ...]
    shards: int
    before: RejectTally
    after: RejectTally
    of_other_models: int
    rows_asked: int
    dry_run: bool
    summary: JobSummary

    def exit_code(self) -> int:
        """As `JobSummary.exit_code`, of these shards; 0 where nothing was to be done."""
        return self.summary.exit_code() if self.shards and not self.dry_run else 0

    def as_json(self) -> dict[str, Any]:
        """A flat object for `--json`: that of `annotate`, for the shards of the rejects, and what became of these."""
        return self.summary.as_json() | {
            "rows_sent": self.rows_asked,
            "reasons": list(self.reasons),
            "dry_run": self.dry_run,
            "shards": self.shards,
            "before": _tally(self.before),
            "after": _tally(self.after),
            "of_other_models": self.of_other_models,
            "exit_code": self.exit_code(),
        }


def passing_reasons(names: Sequence[str]) -> tuple[RejectReason, ...]:
    """The reasons of these names, all that may pass if there are no names.

    Raises:
        ConfigurationError: there is no such reason, or it is a fault of the input, which stays.
    """
    known = {reason.value: reason for reason in PASSING_REASONS}
    for name in names:
        if name not in known:
            raise ConfigurationError(
                f"--reason: {name!r} is not one that may pass: {', '.join(known)}. What is wrong with a record "
                "itself is corrected in its file; then `bioner annotate` that file"
            )
    return tuple(known[name] for name in dict.fromkeys(names)) or PASSING_REASONS


def retry_store(config: AnnotateConfig, reasons: Sequence[RejectReason], *, dry_run: bool) -> RetryReport:
    """Annotate again what these reasons rejected; `config.inputs` says where inputs are now that have moved.

    Raises:
        ConfigurationError: an option is unusable, or all such rejects are those of another model.
        InputError: one of the inputs cannot be read.
        ModelError: the model or its base is not there, or the actors hold another one.
        PoolError: the actors cannot be started.
        StoreError: the store is damaged, or another job is at work on it.
    """
    with AnnotationSession(config) as session:
        if dry_run:
            return _report(config, reasons, _faulty(config, session, reasons), dry_run=True)
        with open_lock(config, purpose="bioner retry"):
            found = _faulty(config, session, reasons)
            if not found.mine:
                return _report(config, reasons, found)
            started = time.monotonic()
            places = located_inputs(config.inputs)
            job, service = session.job(), session.service()
            with ProgressBar("shards", quiet=config.quiet) as progress:
                progress.planned(len(found.mine))
                retried = retry_shards(
                    found.mine,
                    job=job,
                    service=service,
                    reasons=reasons,
                    places=places,
                    on_shard=lambda: progress.done(1),
                )
            write_report(retried.outcomes, new_report_path(config.store), finish=job.finish)
            return _report(config, reasons, found, retried=retried, seconds=time.monotonic() - started)


@dataclass(frozen=True, slots=True)
class _Faulty:
    mine: list[FaultyShard]
    of_other_models: RejectTally


def _faulty(config: AnnotateConfig, session: AnnotationSession, reasons: Sequence[RejectReason]) -> _Faulty:
    found = faulty_shards(config.store, reasons)
    mine = [one for one in found if one.manifest.decode_fingerprint == session.decode_fingerprint]
    if found and not mine:
        raise ConfigurationError(
            f"--model, --label-set, --annotator: of {spoken_count(len(found), 'shard')} with such rejects "
            "none was made by this model with these label sets "
            f"({session.decode_fingerprint[:16]}), but by {_makers(found)}; name those"
        )
    return _Faulty(mine, _total(one for one in found if one not in mine))


def _makers(found: Sequence[FaultyShard]) -> str:
    makers = sorted(
        {(one.manifest.decode_fingerprint[:16] or "unknown", ", ".join(one.manifest.label_sets)) for one in found}
    )
    return "; ".join(f"{fingerprint} (label sets {names})" for fingerprint, names in makers)


def _report(
    config: AnnotateConfig,
    reasons: Sequence[RejectReason],
    found: _Faulty,
    *,
    retried: Retried | None = None,
    seconds: float = 0.0,
    dry_run: bool = False,
) -> RetryReport:
    before = _total(found.mine)
    names = {one.manifest.shard_id for one in found.mine}
    left = (one for one in faulty_shards(config.store, reasons) if one.manifest.shard_id in names)
    outcomes = retried.outcomes if retried else ()
    return RetryReport(
        reasons=tuple(reason.value for reason in reasons),
        shards=len(found.mine),
        before=before,
        after=_total(left) if retried else before,
        of_other_models=found.of_other_models.documents + found.of_other_models.rows,
        rows_asked=retried.rows_asked if retried else 0,
        dry_run=dry_run,
        summary=summarise(outcomes, seconds=seconds, max_reject_rate=config.max_reject_rate),
    )


def _total(shards: Iterable[FaultyShard]) -> RejectTally:
    return sum((one.rejects for one in shards), RejectTally())


def _tally(tally: RejectTally) -> dict[str, Any]:
    return {"documents": tally.documents, "rows": tally.rows, "by_reason": dict(tally.reasons)}
