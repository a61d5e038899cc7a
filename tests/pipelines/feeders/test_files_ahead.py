"""Files planned ahead, by one feeder in this process: nobody waits between two, and each ends as if it were alone."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from annotate_fakes import (
    BrokenPool,
    CountingProgress,
    LosesTheStore,
    MustNotBeAsked,
    WordService,
    all_mentions,
    make_job,
    run,
)
from annotate_fakes import write_jsonl as write

from bioner_core.errors import InputError, PoolError, StoreError
from bioner_core.inference.annotation import AnnotationRequest, RowResult
from bioner_core.inference.batching import BatchFill
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.reading import read_manifests
from pipelines.feeders.file_end import FileEnd, file_summary, job_summary
from pipelines.feeders.files_ahead import FilesAhead
from pipelines.feeders.ray_feeders import FeederPlaces
from pipelines.job import AnnotationJob
from pipelines.job_report import report_paths
from pipelines.pool.service import Key
from pipelines.summary import JobSummary, Status

_SECONDS = 60.0


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Five inputs of three shards."""
    texts = [[f"Protein {number} binds DNA {file}." for number in range(23)] for file in range(5)]
    return [write(tmp_path / f"in{file}.jsonl", found) for file, found in enumerate(texts)]


def files_ahead(
    job: AnnotationJob, service: type = WordService, progress: CountingProgress | None = None
) -> "FilesAhead[str]":
    """What annotates by one feeder in this process."""
    return FilesAhead(
        job, start=lambda: FeederPlaces(job, service), progress=progress or CountingProgress(), tell=print
    )


def ends_of(ahead: "FilesAhead[str]", files: Iterable[str], locate: Callable[[str], str] = str) -> list[FileEnd[str]]:
    """How the files ended."""
    with closing(ahead.run(files, locate)) as ends:
        return list(ends)


def summary_of(job: AnnotationJob, ahead: "FilesAhead[str]") -> JobSummary:
    """What was done for all inputs of a job."""
    return job_summary(job, ends_of(ahead, job.inputs))


class ReadsAhead(WordService):
    """Answers the first file only when it has been asked for the second, so that it fails where nobody plans ahead."""

    files_seen: set[str]

    def annotate_stream(
        self, buffers: Iterable[tuple[Key, Sequence[AnnotationRequest]]]
    ) -> Iterator[tuple[Key, list[RowResult], BatchFill]]:
        """The answers in their order, as late as that."""
        waiting: list[tuple[Key, Sequence[AnnotationRequest]]] = []
        self.files_seen = set()
        for key, requests in buffers:
            waiting.append((key, requests))
            self.files_seen |= {request.text.rpartition(" ")[2] for request in requests}
            if len(self.files_seen) > 1 or len(waiting) > 500:
                assert len(self.files_seen) > 1, "nothing of the second file came while the first one was at work"
                yield from ((key, self.annotate(requests), BatchFill()) for key, requests in waiting)
                waiting = []
        yield from ((key, self.annotate(requests), BatchFill()) for key, requests in waiting)


def test_the_next_file_is_read_while_the_last_one_is_annotated(files: list[str], tmp_path: Path) -> None:
    """Catches actors that wait at the end of each file until the next one is fetched, counted and read."""
    job = make_job(tmp_path / "store", buffer_records=2)
    ends = ends_of(files_ahead(job, ReadsAhead), files)
    assert [[one.status for one in end.outcomes] for end in ends] == [[Status.COMMITTED] * 3] * 5


def test_files_end_in_order_as_if_each_were_alone(files: list[str], tmp_path: Path) -> None:
    """Catches rows that come into another file, a ledger that is written out of order, and times that count twice."""
    job, progress = make_job(tmp_path / "store"), CountingProgress()
    ends = ends_of(files_ahead(job, progress=progress), files)
    assert [end.wanted for end in ends] == files
    assert [file_summary(job, end).counts.annotated for end in ends] == [23] * 5
    assert len(report_paths(job.store)) == 5
    assert (progress.total, progress.fresh) == (115, 115)
    run(make_job(tmp_path / "calm", *files))
    assert all_mentions(tmp_path / "store") == all_mentions(tmp_path / "calm")
    assert verify_store(job.store).sound


def test_a_file_that_fails_stops_no_other(files: list[str], tmp_path: Path) -> None:
    """Catches a run of days that ends at one file that is gone or cannot be read."""

    def locate(name: str) -> str:
        if name == files[1]:
            raise InputError("in1: is gone")
        return name if name != files[3] else str(tmp_path / "nothing.jsonl")

    job = make_job(tmp_path / "store")
    ends = ends_of(files_ahead(job), files, locate)
    assert [len(end.outcomes) for end in ends] == [3, 0, 3, 1, 3]
    assert [end.wanted for end in ends if end.error is not None] == [files[1]]
    assert "nothing.jsonl" in ends[3].outcomes[0].message
    assert len(list(read_manifests(job.store))) == 9


def test_another_fault_of_a_file_stops_the_planning(files: list[str], tmp_path: Path) -> None:
    """Catches a run that goes on fetching files although the disk is full or the lock is lost."""
    located: list[str] = []

    def locate(name: str) -> str:
        located.append(name)
        if len(located) == 3:
            raise StoreError("the lock was lost")
        return name

    ends = ends_of(files_ahead(make_job(tmp_path / "store")), files, locate)
    assert [str(end.error) for end in ends] == ["None", "None", "the lock was lost"]
    assert len(located) == 3


def test_a_job_asks_no_model_for_what_is_committed(files: list[str], tmp_path: Path) -> None:
    """Catches a rerun that starts actors, or annotates again."""
    job = make_job(tmp_path / "store", *files)
    assert summary_of(job, files_ahead(job)).shards_committed == 15
    again = summary_of(job, files_ahead(job, MustNotBeAsked))
    assert (again.shards_skipped, again.rows_sent, again.exit_code()) == (15, 0, 0)


def test_an_input_that_is_named_twice_counts_once(files: list[str], tmp_path: Path) -> None:
    """Catches a shard that two feeders work on at once, and sums that count it twice."""
    job = make_job(tmp_path / "store", *files, files[0], files[4])
    summary = summary_of(job, files_ahead(job))
    assert (summary.counts.annotated, summary.shards_committed, summary.shards_skipped) == (115, 15, 0)


def test_a_broken_pool_is_tried_once_and_fails_every_file(files: list[str], tmp_path: Path) -> None:
    """Catches a backfill that waits out the pool's grace with each of a thousand files."""
    BrokenPool.tries = 0
    ends = ends_of(files_ahead(make_job(tmp_path / "store"), BrokenPool), files)
    assert BrokenPool.tries == 1
    failed = [end for end in ends if end.error is None]
    assert {one.status for end in failed for one in end.outcomes} == {Status.FAILED}
    assert {type(end.error) for end in ends if end.error is not None} <= {PoolError}


class Gated(WordService):
    """Answers nothing of the second file until the gate is open."""

    gate = threading.Event()

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """The answers, when they may be given."""
        if any(request.text.endswith(" 1.") for request in requests):
            self.gate.wait(_SECONDS)
        return super().annotate(requests)


def test_a_run_that_is_left_early_commits_nothing_more(files: list[str], tmp_path: Path) -> None:
    """Catches a feeder that goes on in the store after its job has given back the lock."""
    job = make_job(tmp_path / "store")
    with closing(files_ahead(job, Gated).run(files, str)) as ends:
        next(ends)
    Gated.gate.set()
    for thread in threading.enumerate():
        if thread.name == "bioner-feeder":
            thread.join(_SECONDS)
    assert len(list(read_manifests(job.store))) == 3


def test_a_job_that_lost_its_lock_commits_nothing_more(files: list[str], tmp_path: Path) -> None:
    """Catches a backfill on one machine that wakes after its lease and goes on committing beside its successor."""
    job = make_job(tmp_path / "store", *files[:2])
    LosesTheStore.store = job.store
    with StoreLock(job.store, purpose="test"):
        summary = summary_of(job, files_ahead(job, LosesOneFile))
    assert len(list(read_manifests(job.store))) == summary.shards_committed == 4
    assert summary.shards_failed == 2
    assert all("no longer holds the lock" in one.message for one in summary.failures)


class LosesOneFile(LosesTheStore):
    """Loses the store in the second shard of the second file."""

    word = "Protein 12 binds DNA 1"
