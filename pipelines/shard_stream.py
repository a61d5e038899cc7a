"""Shard after shard through one stream of the service: the next shard is read while the last one is annotated.

A shard is a failure boundary: one that fails, by its input, its answers or its commit, stops no other one.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bioner_core.documents import Document
from bioner_core.inference.annotation import AnnotationRequest, RowResult
from bioner_core.inference.batching import BatchFill
from bioner_core.records import Record
from bioner_core.store.layout import ShardDescriptor
from pipelines.job import AnnotationJob
from pipelines.pool.service import AnnotationService, answered
from pipelines.shard import OpenShard, PlannedBuffer, ShardResult
from pipelines.shard_input import ShardInput


class ShardSource(Protocol):
    """Shards that are to be annotated, in an order in which each input is read in one pass."""

    @property
    def ended(self) -> bool:
        """Whether there is no other one, nor will be."""
        ...

    def take(self) -> ShardDescriptor | None:
        """The next one; None where there is none just now."""
        ...

    def check(self) -> None:
        """Make sure that the shards that were taken may be committed.

        Raises:
            StoreError: they may not.
        """
        ...


class ListedShards:
    """A `ShardSource` of shards that are all known. `check` is called right before each commit."""

    def __init__(self, shards: Iterable[ShardDescriptor], *, check: Callable[[], None] = lambda: None) -> None:
        self.left = deque(shards)
        self._check = check

    @property
    def ended(self) -> bool:
        """Whether all were taken."""
        return not self.left

    def take(self) -> ShardDescriptor | None:
        """The next one."""
        return self.left.popleft() if self.left else None

    def check(self) -> None:
        """Nobody else has them: whether the job may commit is all there is to ask.

        Raises:
            StoreError: it may not.
        """
        self._check()


@dataclass(frozen=True, slots=True)
class ShardEnd:
    """How a shard ended: committed, or why it was not; `fill` is that of its batches."""

    descriptor: ShardDescriptor
    outcome: ShardResult | Exception
    fill: BatchFill


@dataclass(slots=True, eq=False)
class _Begun:
    """A shard in the stream, from when it is opened until its end is told."""

    descriptor: ShardDescriptor
    fill: BatchFill = field(default_factory=BatchFill)


@dataclass(frozen=True, slots=True)
class _Step:
    """The key of a buffer in the stream: a buffer of a shard; or, without one, its end or why it cannot be read on.

    The stream yields None instead of a step when no shard is ready, so that the caller takes the answers that have
    come.
    """

    begun: _Begun
    shard: OpenShard | Exception
    buffer: PlannedBuffer | None = None


class ShardStream:
    """Annotates and commits shards one after another; `run` may be called once."""

    def __init__(self, job: AnnotationJob, service: AnnotationService, on_records: Callable[[int], None]) -> None:
        self._job = job
        self._service = service
        self._on_records = on_records
        self._begun: dict[_Begun, None] = {}
        self._last_end = 0.0

    def run(self, todo: ShardSource) -> Iterator[ShardEnd]:
        """Take shards from `todo` until it has ended, and yield how each ended, in that order.

        When the service itself fails, the shards that were begun end with its error, and `todo` keeps the others.
        """
        with ShardInput() as source:
            try:
                yield from self._ends(todo, source)
            except Exception as error:  # noqa: BLE001  the shard boundary, for all that were under way
                yield from (ShardEnd(begun.descriptor, error, begun.fill) for begun in self._begun)

    def _ends(self, todo: ShardSource, source: ShardInput) -> Iterator[ShardEnd]:
        for step, results, fill in answered(self._service, self._requests(todo, source)):
            if step is None:
                continue
            step.begun.fill += fill
            if step.begun in self._begun and (end := self._settled(step, results, todo)):
                del self._begun[step.begun]
                self._last_end = time.monotonic()
                yield end

    def _requests(
        self, todo: ShardSource, source: ShardInput
    ) -> Iterator[tuple[_Step | None, list[AnnotationRequest]]]:
        while not todo.ended:
            descriptor = todo.take()
            if descriptor is None:
                yield None, []
                continue
            for step in self._steps_of(descriptor, source):
                yield step, step.buffer.requests() if step.buffer else []

    def _steps_of(self, descriptor: ShardDescriptor, source: ShardInput) -> Iterator[_Step]:
        begun = _Begun(descriptor)
        self._begun[begun] = None
        try:
            shard = OpenShard(descriptor, self._job)
            for records in buffers(source.records(descriptor), self._job, starts_input=not descriptor.first):
                # Race: buffers are read ahead of their answers, so a shard may fail while later buffers of it are
                # planned.
                if begun not in self._begun:  # an earlier buffer has failed it
                    return
                yield _Step(begun, shard, shard.plan(records))
        except Exception as error:  # noqa: BLE001  the shard boundary: whatever happened is reported, with its traceback
            source.close()
            yield _Step(begun, error)
        else:
            yield _Step(begun, shard)

    def _settled(self, step: _Step, results: Sequence[RowResult], todo: ShardSource) -> ShardEnd | None:
        begun = step.begun
        if isinstance(step.shard, Exception):
            return ShardEnd(begun.descriptor, step.shard, begun.fill)
        try:
            if step.buffer is None:
                todo.check()
                return ShardEnd(begun.descriptor, step.shard.commit(not_before=self._last_end), begun.fill)
            step.shard.settle(step.buffer, results)
            self._on_records(len(step.buffer.records))
        except Exception as error:  # noqa: BLE001  the shard boundary
            return ShardEnd(begun.descriptor, error, begun.fill)
        return None


def buffers(records: Iterable[Record], job: AnnotationJob, *, starts_input: bool) -> Iterator[list[Record]]:
    """Cut records into what is batched together: as much text or as many records as the job says.

    At the start of an input the first document is a buffer of its own, so that somebody who waits sees soon that the
    model works. The cuts depend on the shard and the job alone, so that a rerun makes the same batches.
    """
    buffer: list[Record] = []
    characters, enough = 0, 1 if starts_input else job.buffer_characters
    for record in records:
        buffer.append(record)
        if isinstance(record, Document):
            characters += sum(len(passage.text) for passage in record.passages)
        if len(buffer) >= job.buffer_records or characters >= enough:
            yield buffer
            buffer, characters, enough = [], 0, job.buffer_characters
    if buffer:
        yield buffer
