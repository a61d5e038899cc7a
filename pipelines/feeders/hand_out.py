"""The launcher's side: shards to feeders, and back how they ended; what a lost feeder had goes to others.

Leases in the store are not needed for this: the launcher alone gives out shards, and holds the lock of the store.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bioner_core.spoken import spoken_count
from bioner_core.store.committed import committed_manifest
from bioner_core.store.layout import ShardDescriptor
from bioner_core.store.manifest import read_manifest
from bioner_core.store.manifest_cache import manifest_cache
from bioner_core.store.reading import reject_reasons
from pipelines.annotate import count_outcome
from pipelines.feeders.feeder import FeederHandle, FeederLostError
from pipelines.feeders.given_shards import SILENT_SECONDS, FeederReport, elapsed_seconds
from pipelines.feeders.shard_queue import ShardQueue
from pipelines.job import AnnotationJob
from pipelines.metrics.meters import PROCESS
from pipelines.metrics.metrics import shard_increases
from pipelines.summary import ShardOutcome, Status, failed_outcome, finished_outcome
from pipelines.watch.progress import ProgressReporter

MOST_LOSSES = 8
"""So many feeders lost with no shard ended in between, and the run ends: the machines are at fault, not the shards."""


START_SECONDS = 600.0
"""How long the first answer of a feeder may take: on a busy machine its process alone takes a minute to start."""


class FeederMaker(Protocol):
    """Whoever starts feeders."""

    @property
    def job(self) -> AnnotationJob:
        """What they work on."""
        ...

    @property
    def count(self) -> int:
        """How many there are to be."""
        ...

    def feeder(self, number: int) -> FeederHandle:
        """A new one; numbers are never given twice."""
        ...


@dataclass(slots=True, eq=False)
class _Known:
    """What the launcher knows of a feeder: `records` are all that it has settled, `ended` those of its ended shards.

    `asked_at` is in seconds of the hand-out's clock.
    """

    name: str
    handle: FeederHandle
    asked_at: float
    answered: bool = False
    records: int = 0
    ended: int = 0
    cpu_seconds: float = 0.0


class HandOut:
    """Gives the shards of a queue to feeders; `step` is to be called again and again, several times per second.

    `on_end` hears how each shard ended, once; `tell` what went wrong and does not end the run. `clock` gives seconds.
    """

    def __init__(
        self,
        queue: ShardQueue,
        maker: FeederMaker,
        *,
        on_end: Callable[[ShardOutcome], None],
        progress: ProgressReporter,
        tell: Callable[[str], None],
        clock: Callable[[], float] = elapsed_seconds,
    ) -> None:
        self._queue = queue
        self._maker = maker
        self._on_end = on_end
        self._progress = progress
        self._tell = tell
        self._clock = clock
        self._made = 0
        self._losses = 0
        self._cpu_seconds_lost = 0.0
        self._feeders: list[_Known] = []
        self.pool_error = False
        """Whether a feeder has found that the actors cannot be reached any more."""
        self.heard = False
        """Whether a feeder has answered: from then on there is work."""
        self.peak_memory = 0
        """The most bytes that a feeder in another process has had in memory."""

    @property
    def cpu_seconds(self) -> float:
        """The processor time of all feeders in other processes."""
        return self._cpu_seconds_lost + sum(one.cpu_seconds for one in self._feeders)

    def step(self) -> None:
        """Hear each feeder that has answered, give it what it has room for, and replace those that are lost.

        Raises:
            FeederLostError: feeders are lost one after another, or the one in this process, which nobody replaces.
        """
        while len(self._feeders) < self._maker.count:
            self._start()
        for feeder in list(self._feeders):
            try:
                report = self._answer(feeder)
            except FeederLostError as error:
                self._lose(feeder, str(error))
                continue
            if report is not None:
                self._hear(feeder, report)

    def end(self) -> None:
        """End all feeders, whatever they do; what they have not ended stays undone."""
        for feeder in self._feeders:
            if self._queue.is_empty:
                feeder.handle.leave()
            else:
                feeder.handle.end()

    def _start(self) -> None:
        handle = self._maker.feeder(self._made)
        feeder = _Known(f"feeder-{self._made}", handle, self._clock())
        self._made += 1
        self._feeders.append(feeder)
        self._ask(feeder)

    def _ask(self, feeder: _Known) -> None:
        feeder.asked_at = self._clock()
        feeder.handle.ask(self._queue.take(feeder.name))

    def _answer(self, feeder: _Known) -> FeederReport | None:
        report = feeder.handle.answer()
        feeder.answered |= report is not None
        longest = SILENT_SECONDS if feeder.answered else START_SECONDS
        if report is None and self._clock() - feeder.asked_at > longest:
            raise FeederLostError(f"it has not answered for {longest:.0f} s")
        return report

    def _hear(self, feeder: _Known, report: FeederReport) -> None:
        self.heard, self.pool_error = True, self.pool_error or report.pool_error
        for outcome in report.outcomes:
            if report.lost and outcome.status is Status.FAILED:  # it did not commit what is no longer its own
                continue
            if self._queue.end(feeder.name, outcome.shard_id):
                self._end_shard(feeder, outcome)
        if report.records != feeder.records:
            self._progress.done(report.records - feeder.records, skipped=False)
        feeder.records = report.records
        if not feeder.handle.is_here:
            feeder.cpu_seconds = report.cpu_seconds
            self.peak_memory = max(self.peak_memory, report.peak_memory)
        if report.lost or report.over:
            self._lose(feeder, report.error or "it was not asked in time")
        else:
            self._ask(feeder)

    def _end_shard(self, feeder: _Known, outcome: ShardOutcome) -> None:
        self._losses = 0
        feeder.ended += outcome.counts.records_in
        if not feeder.handle.is_here:
            manifest_cache(self._maker.job.store).forget(outcome.shard_id)  # committed by a process that has its own
            self._count(outcome)
        self._on_end(outcome)

    def _lose(self, feeder: _Known, why: str) -> None:
        feeder.handle.end()
        self._feeders.remove(feeder)
        self._cpu_seconds_lost += feeder.cpu_seconds
        self._losses += 1
        shards = self._queue.lose(feeder.name)
        if feeder.handle.is_here:
            cause = why.strip().splitlines()[-1]  # of a traceback that Beam has printed already
            raise FeederLostError(
                f"the pipeline of the feeder in this process was stopped: {cause}. What is committed stays; run the "
                "same command again"
            )
        if self._losses > MOST_LOSSES:
            raise FeederLostError(
                f"{spoken_count(self._losses, 'feeder')} lost with no shard ended in between; the last: {why}. What is "
                "committed stays; run the same command again"
            )
        self._tell(
            f"a feeder was lost ({why}): another one is started; given out anew: {spoken_count(len(shards), 'shard')}"
        )
        # Invariant: no record counts twice. What the feeder had settled and not committed is done anew.
        if feeder.ended != feeder.records:
            self._progress.done(feeder.ended - feeder.records, skipped=False)
        left = [one for one in shards if not self._ended_before(one)]
        for shard in self._queue.put_back(left):
            error = FeederLostError(f"{shard.shard_id}: whichever feeder has this shard is lost; the last: {why}")
            outcome = failed_outcome(error, input_file=shard.input_file, descriptor=shard)
            count_outcome(outcome)
            self._on_end(outcome)

    def _ended_before(self, shard: ShardDescriptor) -> bool:
        """Whether a lost feeder had committed a shard, and was lost before it could say so."""
        job = self._maker.job
        manifest = committed_manifest(job.store, shard, fingerprint=job.run_fingerprint)
        if manifest is None:
            return False
        outcome = finished_outcome(Status.COMMITTED, manifest)
        self._progress.done(shard.records, skipped=False)
        self._count(outcome)
        self._on_end(outcome)
        return True

    def _count(self, outcome: ShardOutcome) -> None:
        """Tell the metrics of this process what a feeder elsewhere has committed; its own process tells Ray's."""
        if outcome.status is not Status.COMMITTED:
            count_outcome(outcome)
            return
        counts, store = outcome.counts, self._maker.job.store
        manifest = read_manifest(store, outcome.shard_id) if counts.rejected or counts.row_rejects else None
        PROCESS.add_all(shard_increases(counts, reject_reasons(store, [manifest] if manifest else [])))
