"""One stream of a client: every batch to some actor, every row answered once, in the order of the requests.

The next buffer is read while the last one runs, so that actors find work from the first batch of a stream to its last.
"""

import itertools
import secrets
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import ObjectLostError, OutOfMemoryError, RayActorError, RayError, RayTaskError

from bioner_core.errors import PoolError
from bioner_core.inference.annotation import RowResult
from bioner_core.inference.batching import Batch
from bioner_core.records import RejectReason
from pipelines.metrics.meters import PROCESS as METERS
from pipelines.metrics.metrics import BATCH_SECONDS, QUEUE_DEPTH
from pipelines.pool.actor_tracker import ActorTracker, TrackedActor
from pipelines.pool.actors import ActorStatus, BatchRefused
from pipelines.pool.pending_batch import ActorFailure, PendingBatch
from pipelines.pool.pool_kv import PoolKV
from pipelines.pool.pool_settings import ClientSettings
from pipelines.pool.service import Key

_LOOK_EVERY_SECONDS = 0.25
"""The longest wait for an answer before deadlines and the roster are looked at; an answer ends the wait at once."""
_LOST = (RayActorError, OutOfMemoryError, ObjectLostError)


@dataclass(slots=True)
class _Sent:
    """A batch at an actor; at `ping_at` the actor is asked what it is doing. Times are monotonic seconds."""

    pending: PendingBatch
    batch_id: str
    actor: TrackedActor
    sent_at: float
    ping_at: float


@dataclass(slots=True)
class _Buffer:
    """The answers to one buffer: None for a row that has none yet; `missing` counts those, `batches` its batches."""

    key: Any
    results: list[RowResult | None]
    missing: int
    batches: int


class Dispatch:
    """Drives the batches of one stream through the actors of the tracker; `run` may be called once."""

    def __init__(self, tracker: ActorTracker, kv: PoolKV, settings: ClientSettings) -> None:
        self._tracker = tracker
        self._kv = kv
        self._settings = settings
        self._source: Iterator[tuple[Any, Sequence[Batch]]] | None = None
        self._queue: deque[PendingBatch] = deque()
        self._sent: dict[Any, _Sent] = {}
        self._open: dict[int, _Buffer] = {}
        self._read = 0
        self._told_depth = 0
        self._call_id = secrets.token_hex(8)
        self._numbers = itertools.count()

    def run(self, buffers: Iterable[tuple[Key, Sequence[Batch]]]) -> Iterator[tuple[Key, list[RowResult]]]:
        """For each buffer, in order, its key and the result of each of its rows, index-aligned with the requests.

        A buffer is read when fewer batches wait than there are actors, and not before an earlier one is handed back
        when `read_ahead` batches per actor are open: so what is in memory is bounded, however slow one batch is.

        Raises:
            PoolError: no actor can be reached for too long, the pool gave up, actors die without end, or an answer
                does not fit its batch.
        """
        self._source = iter(buffers)
        self._read_on()
        try:
            yield from self._rounds()
        finally:
            self._tell_depth(0)

    def _rounds(self) -> Iterator[tuple[Any, list[RowResult]]]:
        # Invariant: the order of a round. A batch is sent only to actors that the roster still names, arrivals are
        # taken before anyone is pinged for being late, and the next buffer is read only after the idle actors have
        # work.
        while self._source is not None or self._open:
            self._follow_roster(time.monotonic())
            self._tracker.look_up(time.monotonic())
            self._give_up_if_stalled(time.monotonic())
            self._fill_windows()
            self._tell_depth(len(self._queue))
            self._take_arrivals()
            self._ping_overdue(time.monotonic())
            yield from self._finished()
            self._read_on()

    def _tell_depth(self, depth: int) -> None:
        if depth != self._told_depth:
            METERS.shift(QUEUE_DEPTH, depth - self._told_depth)
            self._told_depth = depth

    def _wants_more(self) -> bool:
        actors = max(1, len(self._tracker.actors))
        if self._source is None or len(self._queue) >= actors:
            return False
        batches = sum(buffer.batches for buffer in self._open.values())
        return not self._open or batches < actors * self._settings.read_ahead

    def _read_on(self) -> None:
        """Read one buffer if there is room; one only, so that idle actors have its batches before the next is read."""
        if self._source is None or not self._wants_more():
            return
        buffer = next(self._source, None)
        self._tracker.none_ready_since = None  # while the caller was at work, nobody waited for an actor
        if buffer is None:
            self._source = None
            return
        key, batches = buffer
        rows = sum(len(batch.indices) for batch in batches)
        self._open[self._read] = _Buffer(key, [None] * rows, rows, len(batches))
        self._queue.extend(PendingBatch(batch, buffer=self._read) for batch in batches)
        self._read += 1

    def _finished(self) -> Iterator[tuple[Any, list[RowResult]]]:
        while self._open and not self._open[oldest := min(self._open)].missing:
            buffer = self._open.pop(oldest)
            yield buffer.key, [result for result in buffer.results if result is not None]
            self._tracker.none_ready_since = None

    def _follow_roster(self, now: float) -> None:
        if self._tracker.roster_is_due(now):
            self._follow_roster_now()

    def _follow_roster_now(self) -> None:
        self._tracker.follow_roster(time.monotonic(), busy={sent.actor for sent in self._sent.values()})

    def _fill_windows(self) -> None:
        load = {actor.name: 0 for actor in self._tracker.actors}
        for sent in self._sent.values():
            load[sent.actor.name] += 1
        open_actors = self._tracker.open_actors()
        while self._queue and open_actors:
            actor = min(open_actors, key=lambda actor: load[actor.name])
            if load[actor.name] >= self._settings.window:
                return
            load[actor.name] += 1
            self._send(self._queue.popleft(), actor)

    def _send(self, pending: PendingBatch, actor: TrackedActor) -> None:
        batch_id = f"{self._call_id}-{next(self._numbers)}"
        seconds = self._settings.deadline(pending.batch.tokens)
        ref = actor.handle.annotate.remote(batch_id, pending.batch.requests, deadline_seconds=seconds)
        now = time.monotonic()
        self._sent[ref] = _Sent(pending, batch_id, actor, now, now + seconds)

    def _take_arrivals(self) -> None:
        probes = self._tracker.probes()
        waited_for = [*self._sent, *probes]
        seconds = 0.0 if self._wants_more() else _LOOK_EVERY_SECONDS
        if not waited_for:
            time.sleep(seconds)
            return
        if not ray.wait(waited_for, timeout=seconds)[0]:
            return
        for ref in ray.wait(waited_for, num_returns=len(waited_for), timeout=0)[0]:
            # Race: settling an answer may lose its actor, and with it the ping that arrived beside it: it is ignored.
            if ref in self._sent:
                self._settle(ref)
            elif (actor := probes[ref]).probe is ref and (status := self._tracker.read_probe(actor)) is not None:
                self._judge(actor, status)

    def _settle(self, ref: Any) -> None:
        sent = self._sent.pop(ref)
        try:
            results: list[RowResult] | BatchRefused = ray.get(ref)
        except RayTaskError as error:
            raise PoolError(f"the actor {sent.actor.name} failed outside any row: {error}") from error
        except _LOST as error:
            if sent.actor.ready:
                self._tracker.lose(sent.actor, str(error))
            self._lose(sent, error)
        except RayError as error:
            raise PoolError(f"an answer of the actor {sent.actor.name} cannot be had: {error}") from error
        else:
            METERS.observe(BATCH_SECONDS, time.monotonic() - sent.sent_at)
            self._tracker.consecutive_deaths = 0
            sent.actor.found_idle = False
            self._take(sent, results)

    def _take(self, sent: _Sent, results: list[RowResult] | BatchRefused) -> None:
        if isinstance(results, BatchRefused):  # the pool lets this actor go
            sent.actor.wanted = False
            self._queue.appendleft(sent.pending)
        else:
            self._keep(sent.pending, results)

    def _keep(self, pending: PendingBatch, results: Sequence[RowResult]) -> None:
        indices, buffer = pending.batch.indices, self._open[pending.buffer]
        if len(results) != len(indices):
            raise PoolError(f"an actor gave {len(results)} results for {len(indices)} rows: correct the annotator")
        for index, result in zip(indices, results, strict=True):
            # Invariant: a row is answered once. A batch that was given up for lost may still be answered; its place in
            # `_sent` is gone then, so such an answer never comes here.
            if buffer.results[index] is not None:
                raise PoolError(f"row {index} was answered twice: this is a defect of the batching")
            buffer.results[index] = result
        buffer.missing -= len(indices)

    def _lose(self, sent: _Sent, error: RayError) -> None:
        # Race: an actor that the pool let go may end before its answer is fetched. So the roster is read first, and
        # nothing is charged then.
        # Invariant: at most one batch is charged per death, the one that the actor noted last.
        self._follow_roster_now()
        if not sent.actor.wanted:  # the pool let it go, perhaps with its answer still on the way
            self._queue.appendleft(sent.pending)
        elif self._kv.last_running(sent.actor.name) == sent.batch_id:
            words = self._kv.death_message(sent.batch_id)
            why = words.strip().splitlines()[-1] if words else str(error)
            message = f"the actor {sent.actor.name} died while it ran this row: {why}"
            self._charge_death(sent.pending, ActorFailure(RejectReason.ACTOR_DIED, message, words))
        else:  # it only waited behind the batch that was running, so the death is not its own
            self._queue.appendleft(sent.pending)

    def _charge_death(self, pending: PendingBatch, failure: ActorFailure) -> None:
        outcome = pending.after(failure, max_attempts=self._settings.max_attempts)
        if isinstance(outcome, list):
            self._queue.extendleft(reversed(outcome))
        else:
            self._keep(pending, [outcome])

    def _ping_overdue(self, now: float) -> None:
        for sent in self._sent.values():
            if sent.actor.ready and now > sent.ping_at:
                sent.actor.ask(now)
        for ref, sent in list(self._sent.items()):
            if not sent.actor.ready and now > sent.ping_at + self._settings.ping_seconds:
                del self._sent[ref]  # neither answered nor reported lost, and its actor is not there
                self._queue.appendleft(sent.pending)
        for actor in self._tracker.ready_actors():
            if actor.probe is not None and now > actor.probed_at + self._settings.ping_seconds:
                self._end(actor, self._kv.last_running(actor.name), "answers no ping")

    def _judge(self, actor: TrackedActor, status: ActorStatus) -> None:
        mine = [sent for sent in self._sent.values() if sent.actor is actor]
        if not mine:
            return
        if status.overdue:
            self._end(actor, status.batch_id, f"ran for more than {status.deadline_seconds:g} s")
        # Race: an actor is idle in the moment before it begins the batch that is on its way. Only twice in a row says
        # that the batch was lost.
        elif not status.batch_id and actor.found_idle:
            self._end(actor, "", "does nothing, though it was sent a batch")
        else:
            actor.found_idle = not status.batch_id
            # It runs another batch than ours, or ours began late: wait for the rest of that deadline, and no less than
            # a second, or an actor that is busy to the last moment would be pinged without end.
            rest = max(1.0, status.deadline_seconds - status.running_seconds)
            for sent in mine:
                sent.ping_at = max(sent.ping_at, time.monotonic() + rest)

    def _end(self, actor: TrackedActor, guilty_batch_id: str, why: str) -> None:
        message = f"the actor {actor.name} was ended: it {why}"
        self._tracker.end(actor, message)
        for ref, sent in [(ref, sent) for ref, sent in self._sent.items() if sent.actor is actor]:
            del self._sent[ref]
            if sent.batch_id == guilty_batch_id:
                self._charge_death(sent.pending, ActorFailure(RejectReason.DEADLINE, message))
            else:
                self._queue.appendleft(sent.pending)

    def _give_up_if_stalled(self, now: float) -> None:
        deaths = self._tracker.consecutive_deaths
        if deaths > self._settings.max_consecutive_deaths * len(self._tracker.actors):
            raise PoolError(
                f"actors died {deaths} times with no batch answered in between; "
                f"the last error: {self._tracker.last_error}"
            )
        since = self._tracker.none_ready_since
        if since is None or any(sent.actor.ready for sent in self._sent.values()):
            return
        if failure := self._kv.failure():
            raise PoolError(f"the pool gave up: {failure}")
        if now - since > self._settings.grace_seconds:
            raise PoolError(f"no actor answered for {now - since:.0f} s; the last error: {self._tracker.last_error}")
