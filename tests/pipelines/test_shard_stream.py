"""Shards through one stream of a service: what is read ahead, and whom a failure reaches."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from annotate_fakes import POISON, LosesTheStore, WordService, all_mentions, make_job, run, write_jsonl

from bioner_core.errors import PoolError, StoreError
from bioner_core.inference.annotation import AnnotationRequest, RowResult
from bioner_core.inference.batching import BatchFill
from bioner_core.inference.document_rows import PlannedDocument
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.reading import read_manifests
from bioner_core.store.shard_writer import ShardWriter
from pipelines import shard
from pipelines.job import AnnotationJob
from pipelines.plan import plan_input
from pipelines.pool.service import Key
from pipelines.shard import ShardResult
from pipelines.shard_stream import ListedShards, ShardEnd, ShardStream

_TEXTS = [f"Protein {number} binds DNA. It is new." for number in range(23)]


class EagerService(WordService):
    """Reads five buffers ahead of the one it hands back; fails after `lasts` buffers. Each buffer is 8 of 10 slots."""

    lasts = 10**6
    ahead = 5
    most_open = 0

    def annotate_stream(
        self, buffers: Iterable[tuple[Key, Sequence[AnnotationRequest]]]
    ) -> Iterator[tuple[Key, list[RowResult], BatchFill]]:
        """The answers, as late as may be."""
        waiting: deque[tuple[Key, Sequence[AnnotationRequest]]] = deque()
        for buffer in buffers:
            waiting.append(buffer)
            type(self).most_open = max(self.most_open, len(waiting))
            if len(waiting) > self.ahead:
                yield self._answered(*waiting.popleft())
        while waiting:
            yield self._answered(*waiting.popleft())

    def _answered(self, key: Key, requests: Sequence[AnnotationRequest]) -> tuple[Key, list[RowResult], BatchFill]:
        return key, self._answer(requests), BatchFill(8, 10) if requests else BatchFill()

    def _answer(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        self.lasts -= 1
        if self.lasts < 0:
            raise PoolError("no actor is left")
        return self.annotate(requests)


class ShortService(EagerService):
    """Dies in the middle of the second shard."""

    lasts = 6


def stream(job: AnnotationJob, service: EagerService) -> tuple[list[ShardEnd], deque[str]]:
    """How the shards of a job's input ended, and the ids of those that were not begun."""
    todo = ListedShards(plan_input(job.inputs[0], store=job.store, shard_records=job.shard_records))
    ends = list(ShardStream(job, service, lambda _: None).run(todo))
    return ends, deque(one.shard_id for one in todo.left)


@pytest.fixture
def job(tmp_path: Path) -> AnnotationJob:
    """Three shards of up to five buffers."""
    return make_job(tmp_path / "store", write_jsonl(tmp_path / "in.jsonl", _TEXTS), buffer_records=2)


def test_the_next_shard_is_read_while_the_last_one_is_annotated(job: AnnotationJob, tmp_path: Path) -> None:
    """Catches actors without work at the end of each shard, and results that then land in another one."""
    ends, _ = stream(job, EagerService())
    assert [type(end.outcome) for end in ends] == [ShardResult] * 3
    assert EagerService.most_open > 5
    run(make_job(tmp_path / "calm", *job.inputs))
    assert all_mentions(job.store.root) == all_mentions(tmp_path / "calm")
    assert verify_store(job.store).sound


def test_each_shard_is_told_the_fill_of_its_own_batches(job: AnnotationJob) -> None:
    """Catches batches of the next shard, read ahead, that are counted as this one's."""
    ends, _ = stream(job, EagerService())
    assert [end.fill for end in ends] == [BatchFill(48, 60), BatchFill(40, 50), BatchFill(16, 20)]


def test_seconds_of_shards_that_overlap_add_up_to_the_time_of_the_run(
    job: AnnotationJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches run reports in which shards that waited in line took more time than there was."""
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr(EagerService, "_answer", _in_ten_seconds(now))
    stream(job, EagerService())
    assert sum(one.seconds for one in read_manifests(job.store)) == now[0] - 1000.0


def test_a_job_that_lost_its_lock_commits_nothing_more(job: AnnotationJob) -> None:
    """Catches a job that wakes after its lease and goes on committing beside the one that took its store over."""
    LosesTheStore.store = job.store
    with StoreLock(job.store, purpose="test"):
        summary = run(job, LosesTheStore)
    assert [one.first for one in read_manifests(job.store)] == [0]
    assert (summary.shards_committed, summary.shards_failed) == (1, 2)
    assert all("lost its lock" in one.message for one in summary.failures)


def _in_ten_seconds(now: list[float]) -> Callable[[EagerService, Sequence[AnnotationRequest]], list[RowResult]]:
    def answer(service: EagerService, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        now[0] += 10.0
        return service.annotate(requests)

    return answer


def test_a_shard_that_fails_is_dropped_and_its_neighbours_are_whole(
    job: AnnotationJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches answers to a dropped shard's buffers that are taken for those of the next."""
    settle = shard.settle_document

    def fails_in_the_second(planned: PlannedDocument, *rest: object, **named: object) -> object:
        if planned.document.doc_id == "jsonl:12":
            raise StoreError("the splitter is at fault")
        return settle(planned, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(shard, "settle_document", fails_in_the_second)
    ends, _ = stream(job, EagerService())
    assert [type(end.outcome) for end in ends] == [ShardResult, StoreError, ShardResult]
    monkeypatch.undo()
    run(make_job(tmp_path / "calm", *job.inputs))
    kept = [one for one in all_mentions(tmp_path / "calm") if not 10 <= int(one.doc_id.split(":")[1]) < 20]
    assert all_mentions(job.store.root) == kept
    assert verify_store(job.store).sound


def test_a_commit_that_fails_stops_no_other_shard(job: AnnotationJob, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a full disk, for a moment, that ends the whole stream."""
    commit, full = ShardWriter.commit, iter([True, False, False])

    def sometimes(writer: ShardWriter, *rest: object, **named: object) -> object:
        if next(full):
            raise StoreError("the disk is full")
        return commit(writer, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(ShardWriter, "commit", sometimes)
    ends, _ = stream(job, EagerService())
    assert [type(end.outcome) for end in ends] == [StoreError, ShardResult, ShardResult]


def test_a_service_that_dies_fails_the_shards_that_were_begun(job: AnnotationJob) -> None:
    """Catches a shard that is lost without a word, begun or not, when the pool goes down."""
    ends, left = stream(job, ShortService())
    assert [type(end.outcome) for end in ends] == [PoolError, PoolError]
    assert len(left) == 1
    assert list(read_manifests(job.store)) == []


def test_a_job_on_a_service_that_dies_tells_of_every_shard(job: AnnotationJob) -> None:
    """Catches shards that no report names after the pool went down."""
    summary = run(job, ShortService)
    assert (summary.shards_failed, summary.exit_code()) == (3, 1)
    assert "not tried" in summary.failures[-1].message


def test_files_of_one_document_share_a_stream(tmp_path: Path) -> None:
    """Catches a folder of small files whose actors wait at the end of each."""
    names = [write_jsonl(tmp_path / f"in{number}.jsonl", [text]) for number, text in enumerate(_TEXTS)]
    EagerService.most_open = 0
    summary = run(make_job(tmp_path / "store", *names), EagerService)
    assert (summary.shards_committed, summary.counts.annotated) == (23, 23)
    assert EagerService.most_open > 5


def test_rows_that_fail_are_rejected_in_their_own_shard(tmp_path: Path) -> None:
    """Catches rejects that slide into the shard that is settled next."""
    texts = [f"{POISON} {number}." if number in (9, 10) else text for number, text in enumerate(_TEXTS)]
    job = make_job(tmp_path / "store", write_jsonl(tmp_path / "in.jsonl", texts), buffer_records=2)
    ends, _ = stream(job, EagerService())
    counts = [end.outcome.manifest.counts for end in ends if isinstance(end.outcome, ShardResult)]
    assert [(one.rejected, one.annotated) for one in counts] == [(1, 9), (1, 9), (0, 3)]
