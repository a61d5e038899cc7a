"""File after file without a pause between two: the next ones are planned while feeders work on those before.

Three threads of the launcher share the work: one plans files, one gives out their shards (`hand_out.py`), and the
caller's own hears of each file, in their order, when all its shards have ended.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic

from bioner_core.errors import InputError, PoolError
from bioner_core.store.history.known_texts import KnownTexts
from bioner_core.store.history.lock import taken_here
from bioner_core.store.layout import ShardDescriptor
from bioner_core.store.names import StoreNames, list_names
from pipelines.annotate import count_outcome, outcome_without_model
from pipelines.feeders.file_end import FileEnd, Wanted
from pipelines.feeders.hand_out import FeederMaker, HandOut
from pipelines.feeders.shard_queue import ShardQueue
from pipelines.job import AnnotationJob
from pipelines.plan import plan_shards
from pipelines.summary import ShardOutcome, Status, failed_outcome
from pipelines.watch.progress import ProgressReporter

FILES_AHEAD = 2
"""So many files beside one for each feeder are planned before any feeder reads them."""

RECORDS_AHEAD = 3_000
"""Files of fewer records together are too few: planning would have to keep step with the actors."""

MOST_FILES_AHEAD = 64
"""However small they are."""

_STEP_SECONDS = 0.1
"""How often feeders are heard; a shard is seconds of work at least, and each has more than one."""

_LOOK_SECONDS = 0.5
"""How long the caller waits at a time, so that an interrupt reaches it."""

_END_SECONDS = 5.0
"""How long the thread that plans is waited for when a run ends early. A plan that it writes later does no harm."""


@dataclass(slots=True, eq=False)
class _File(Generic[Wanted]):
    """A file from its planning to its end; `missing` are its shards that have not ended. Times are monotonic."""

    wanted: Wanted
    path: str = ""
    began: float = field(default_factory=time.monotonic)
    ended: float = 0.0
    missing: set[str] = field(default_factory=set)
    outcomes: list[ShardOutcome] = field(default_factory=list)
    error: Exception | None = None


class FilesAhead(Generic[Wanted]):
    """Annotates files, each planned ahead; `run` may be called once.

    `start` is called in the caller's thread as soon as a shard needs the model, and gives what makes the feeders.
    `progress` is told of all records, `tell` is called with what went wrong and does not end the run, and `at_end` when
    all is done and the feeders are still there.
    """

    def __init__(
        self,
        job: AnnotationJob,
        *,
        start: Callable[[], FeederMaker],
        progress: ProgressReporter,
        tell: Callable[[str], None],
        at_end: Callable[[], None] = lambda: None,
    ) -> None:
        self._job = job
        self._holder = taken_here(job.store)
        self._at_end = at_end
        self._start = start
        self._progress = progress
        self._tell = tell
        # Invariant: the queue and the lists of files are touched only under this lock, since all three threads do.
        self._changed = threading.Condition(threading.RLock())
        self._queue = ShardQueue()
        self._waiting_for: dict[str, list[_File[Wanted]]] = {}
        self._files: deque[_File[Wanted]] = deque()
        self._planned_all = self._stopped = False
        self._fault: Exception | None = None
        self._hand_out: HandOut | None = None
        self._feeders = 1
        self._started = 0.0

    @property
    def feeder_cpu_seconds(self) -> float:
        """The processor time of the feeders in other processes."""
        return self._hand_out.cpu_seconds if self._hand_out else 0.0

    @property
    def feeder_peak_memory(self) -> int:
        """The most bytes that one of them has had in memory; 0 where there are none."""
        return self._hand_out.peak_memory if self._hand_out else 0

    def run(self, wanted: Iterable[Wanted], locate: Callable[[Wanted], str]) -> Generator[FileEnd[Wanted], None, None]:
        """Annotate files, and yield how each ended, in their order. Close the iterator where it is left early.

        `locate` is called in another thread, a few files ahead, and gives the path of a file. Where it raises an
        `InputError` that file ends with it; with any other error no further file is planned. When the actors cannot be
        reached any more, files that were not begun end with a `PoolError`.

        Raises:
            BionerError: as `start`, or a `FeederLostError`: feeders are lost one after another, or the pipeline of the
                one in this process was stopped.
        """
        planner = threading.Thread(target=self._plan_all, args=(wanted, locate), name="bioner-planner", daemon=True)
        planner.start()
        try:
            yield from self._ends()
            self._at_end()
        finally:
            with self._changed:
                self._stopped = True
                self._changed.notify_all()
                if self._hand_out is not None:
                    self._hand_out.end()
            planner.join(_END_SECONDS)

    def _ends(self) -> Iterator[FileEnd[Wanted]]:
        last_end = 0.0
        while (file := self._await_end()) is not None:
            seconds = max(0.0, file.ended - max(file.began, last_end, min(self._started, file.ended)))
            last_end = max(last_end, file.ended)
            yield FileEnd(file.wanted, file.path, tuple(file.outcomes), round(seconds, 3), file.error)

    def _await_end(self) -> _File[Wanted] | None:
        """The next file once it has ended; None when there is no other one. Starts the feeders in time."""
        while True:
            with self._changed:
                if self._fault is not None:
                    raise self._fault
                if self._files and self._files[0].ended:
                    return self._files.popleft()
                if self._planned_all and not self._files:
                    return None
                start_now = self._hand_out is None and not self._queue.is_empty
                if not start_now:
                    self._changed.wait(_LOOK_SECONDS)
            if start_now:
                self._start_feeders()

    def _start_feeders(self) -> None:
        maker = self._start()
        self._started, self._feeders = math.inf, maker.count
        self._hand_out = HandOut(self._queue, maker, on_end=self._end_shard, progress=self._progress, tell=self._tell)
        threading.Thread(target=self._give_out, args=(self._hand_out,), name="bioner-hand-out", daemon=True).start()

    def _give_out(self, hand_out: HandOut) -> None:
        try:
            while True:
                with self._changed:
                    if self._stopped:
                        return
                    hand_out.step()
                    if hand_out.heard and math.isinf(self._started):
                        self._started = time.monotonic()
                    self._changed.notify_all()
                time.sleep(_STEP_SECONDS)
        except Exception as error:  # noqa: BLE001  it is raised again in the caller's thread
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        with self._changed:
            self._fault = self._fault or error
            self._changed.notify_all()

    def _plan_all(self, wanted: Iterable[Wanted], locate: Callable[[Wanted], str]) -> None:
        try:
            names, texts = list_names(self._job.store), KnownTexts(self._job.store)
            for one in wanted:
                if not self._await_room():
                    return
                file = _File(one)
                with self._changed:
                    self._files.append(file)
                if not self._plan(file, locate, names, texts):
                    return
        except Exception as error:  # noqa: BLE001  it is raised again in the caller's thread
            self._fail(error)
        finally:
            with self._changed:
                self._planned_all = True
                self._changed.notify_all()

    def _await_room(self) -> bool:
        """Wait until another file is to be planned; False when none is."""
        with self._changed:
            while not self._stopped and self._is_far_ahead():
                self._changed.wait(_LOOK_SECONDS)
            return not self._stopped

    def _is_far_ahead(self) -> bool:
        files, records = self._queue.unread
        return files >= MOST_FILES_AHEAD or (files >= FILES_AHEAD + self._feeders - 1 and records >= RECORDS_AHEAD)

    def _plan(self, file: _File[Wanted], locate: Callable[[Wanted], str], names: StoreNames, texts: KnownTexts) -> bool:
        """Plan a file, or end it with its fault; False where no further one is to be planned."""
        try:
            if self._hand_out is not None and self._hand_out.pool_error:
                raise PoolError("not tried, since an earlier shard found the pool broken")
            file.path = locate(file.wanted)
        except Exception as error:  # noqa: BLE001  the boundary of a file: the caller judges it
            self._end_file(file, error)
            return isinstance(error, InputError | PoolError)
        try:
            descriptors = plan_shards(self._job, file.path, names=names, texts=texts)
        except Exception as error:  # noqa: BLE001  the shard boundary begins here: a bad input stops no other one
            file.outcomes.append(failed_outcome(error, input_file=file.path))
            self._end_file(file)
            return True
        self._progress.planned(sum(one.records for one in descriptors))
        self._queue_shards(file, [one for one in descriptors if not self._needs_no_model(one, file)])
        return True

    def _needs_no_model(self, shard: ShardDescriptor, file: _File[Wanted]) -> bool:
        """Whether a shard has ended without a model: it is committed, or was finished again here."""
        outcome = outcome_without_model(self._job, shard, holder=self._holder)
        if outcome is None:
            return False
        file.outcomes.append(outcome)
        count_outcome(outcome)
        self._progress.done(shard.records, skipped=outcome.status is Status.SKIPPED)
        return True

    def _queue_shards(self, file: _File[Wanted], shards: Sequence[ShardDescriptor]) -> None:
        with self._changed:
            file.missing = {one.shard_id for one in shards}
            self._queue.add(one for one in shards if one.shard_id not in self._waiting_for)
            for shard in file.missing:  # a file that is named twice waits for the same shards
                self._waiting_for.setdefault(shard, []).append(file)
            self._changed.notify_all()
        if not shards:
            self._end_file(file)

    def _end_shard(self, outcome: ShardOutcome) -> None:
        for file in self._waiting_for.pop(outcome.shard_id, []):
            file.outcomes.append(outcome)
            file.missing.discard(outcome.shard_id)
            if not file.missing:
                self._end_file(file)

    def _end_file(self, file: _File[Wanted], error: Exception | None = None) -> None:
        with self._changed:
            file.error, file.ended = error, time.monotonic()
            self._changed.notify_all()
