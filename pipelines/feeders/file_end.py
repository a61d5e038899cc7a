"""How the work on a file ended, and the summary and report that are made of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pipelines.job import AnnotationJob
from pipelines.job_report import new_report_path, write_report
from pipelines.summary import JobSummary, ShardOutcome, failed_outcome, summarise

Wanted = TypeVar("Wanted")
"""Whatever the caller knows a file by."""


@dataclass(frozen=True, slots=True)
class FileEnd(Generic[Wanted]):
    """How the work on a file ended: an outcome for each of its shards; or `error`, where it was not even begun.

    `path` is where it was found. `seconds` are those of the clock that no earlier file accounts for, so that those of
    all files add up to the time of the run, without the start of Ray, of the actors and of the feeders.
    """

    wanted: Wanted
    path: str
    outcomes: tuple[ShardOutcome, ...]
    seconds: float
    error: Exception | None = None


def file_summary(job: AnnotationJob, end: FileEnd[Wanted]) -> JobSummary:
    """What was done for one file, as a job of its own; its report is in the store when this returns, if it was begun.

    Raises:
        StoreError: the store cannot be written.
    """
    return _summary(job, end.outcomes, seconds=end.seconds, reported=end.error is None)


def job_summary(job: AnnotationJob, ends: Iterable[FileEnd[str]]) -> JobSummary:
    """What was done for all inputs of a job, as `run_annotation` says it; its report is in the store when this returns.

    Raises:
        StoreError: the store cannot be written.
    """
    seconds = 0.0
    outcomes: dict[tuple[str, str], ShardOutcome] = {}
    for end in ends:
        seconds += end.seconds
        failed = [failed_outcome(end.error, input_file=end.wanted)] if end.error is not None else []
        for outcome in (*end.outcomes, *failed):  # a file that is named twice counts once
            outcomes.setdefault((outcome.shard_id, "" if outcome.shard_id else outcome.input_file), outcome)
    return _summary(job, tuple(outcomes.values()), seconds=seconds)


def _summary(
    job: AnnotationJob, outcomes: Sequence[ShardOutcome], *, seconds: float, reported: bool = True
) -> JobSummary:
    if reported:
        write_report(outcomes, new_report_path(job.store), finish=job.finish)
    return summarise(
        outcomes, seconds=seconds, max_reject_rate=job.max_reject_rate, document_pass=job.finish.document_pass
    )
