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
from pipelines.pool.actors import ActorStatus, TurnedAway
from pipelines.pool.bulletin import Bulletin
from pipelines.pool.client_settings import ClientSettings
from pipelines.pool.crew import Crew, Seat
from pipelines.pool.parcel import Death, Parcel

_LOOK_EVERY_SECONDS = 0.25
_LOST = (RayActorError, OutOfMemoryError, ObjectLostError)


@dataclass(slots=True)
class _Sent:
    """A parcel at an actor; at `doubt_at` the actor is asked what it is doing. Times are monotonic seconds."""

    parcel: Parcel
    parcel_id: str
    seat: Seat
    sent_at: float
    doubt_at: float


@dataclass(slots=True)
class _Buffer:
    """The answers to one buffer: None for a row that has none yet; `missing` counts those, `batches` its batches."""

    results: list[RowResult | None]
    missing: int
    batches: int


class Dispatch:
    """Drives the batches of one stream through the crew; `run` may be called once."""

    def __init__(self, crew: Crew, bulletin: Bulletin, settings: ClientSettings) -> None:
        self._crew = crew
        self._bulletin = bulletin
        self._settings = settings
        self._source: Iterator[Sequence[Batch]] | None = None
        self._queue: deque[Parcel] = deque()
        self._sent: dict[Any, _Sent] = {}
        self._open: dict[int, _Buffer] = {}
        self._read = 0
        self._told_depth = 0
        self._call_id = secrets.token_hex(8)
        self._numbers = itertools.count()

    def run(self, buffers: Iterable[Sequence[Batch]]) -> Iterator[list[RowResult]]:
        """For each buffer, in order, the result of each of its rows, index-aligned with what it was batched from.

        A buffer is read when fewer batches wait than there are actors, and not before an earlier one is handed back
        when `read_ahead` batches an actor are open: so what is in memory is bounded, however slow one batch is.

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

    def _rounds(self) -> Iterator[list[RowResult]]:
        while self._source is not None or self._open:
            self._follow_roster(time.monotonic())
            self._crew.look_up(time.monotonic())
            self._check_hope(time.monotonic())
            self._fill_windows()
            self._tell_depth(len(self._queue))
            self._take_arrivals()
            self._doubt_overdue(time.monotonic())
            yield from self._finished()
            self._read_on()

    def _tell_depth(self, depth: int) -> None:
        if depth != self._told_depth:
            METERS.shift(QUEUE_DEPTH, depth - self._told_depth)
            self._told_depth = depth

    def _wants_more(self) -> bool:
        actors = max(1, len(self._crew.seats))
        if self._source is None or len(self._queue) >= actors:
            return False
        batches = sum(buffer.batches for buffer in self._open.values())
        return not self._open or batches < actors * self._settings.read_ahead

    def _read_on(self) -> None:
        """Read one buffer if there is room; one only, so that idle actors have its batches before the next is read."""
        if self._source is None or not self._wants_more():
            return
        batches = next(self._source, None)
        self._crew.none_ready_since = None  # while the caller was at work, nobody waited for an actor
        if batches is None:
            self._source = None
            return
        rows = sum(len(batch.indices) for batch in batches)
        self._open[self._read] = _Buffer([None] * rows, rows, len(batches))
        self._queue.extend(Parcel(batch, buffer=self._read) for batch in batches)
        self._read += 1

    def _finished(self) -> Iterator[list[RowResult]]:
        while self._open and not self._open[oldest := min(self._open)].missing:
            yield [result for result in self._open.pop(oldest).results if result is not None]
            self._crew.none_ready_since = None

    def _follow_roster(self, now: float) -> None:
        if self._crew.roster_is_due(now):
            self._follow_roster_now()

    def _follow_roster_now(self) -> None:
        self._crew.follow_roster(time.monotonic(), busy={sent.seat for sent in self._sent.values()})

    def _fill_windows(self) -> None:
        load = {seat.name: 0 for seat in self._crew.seats}
        for sent in self._sent.values():
            load[sent.seat.name] += 1
        open_seats = self._crew.open_seats()
        while self._queue and open_seats:
            seat = min(open_seats, key=lambda seat: load[seat.name])
            if load[seat.name] >= self._settings.window:
                return
            load[seat.name] += 1
            self._send(self._queue.popleft(), seat)

    def _send(self, parcel: Parcel, seat: Seat) -> None:
        parcel_id = f"{self._call_id}-{next(self._numbers)}"
        seconds = self._settings.deadline.seconds(parcel.batch.tokens)
        ref = seat.handle.annotate.remote(parcel_id, parcel.batch.requests, deadline_seconds=seconds)
        now = time.monotonic()
        self._sent[ref] = _Sent(parcel, parcel_id, seat, now, now + seconds)

    def _take_arrivals(self) -> None:
        probes = self._crew.probes()
        waited_for = [*self._sent, *probes]
        seconds = 0.0 if self._wants_more() else _LOOK_EVERY_SECONDS
        if not waited_for:
            time.sleep(seconds)
            return
        if not ray.wait(waited_for, timeout=seconds)[0]:
            return
        for ref in ray.wait(waited_for, num_returns=len(waited_for), timeout=0)[0]:
            if ref in self._sent:
                self._settle(ref)
            elif (seat := probes[ref]).probe is ref and (status := self._crew.read_probe(seat)) is not None:
                self._judge(seat, status)

    def _settle(self, ref: Any) -> None:
        sent = self._sent.pop(ref)
        try:
            results: list[RowResult] | TurnedAway = ray.get(ref)
        except RayTaskError as error:
            raise PoolError(f"the actor {sent.seat.name} failed outside any row: {error}") from error
        except _LOST as error:
            if sent.seat.ready:
                self._crew.lose(sent.seat, str(error))
            self._lose(sent, error)
        except RayError as error:
            raise PoolError(f"an answer of the actor {sent.seat.name} cannot be had: {error}") from error
        else:
            METERS.observe(BATCH_SECONDS, time.monotonic() - sent.sent_at)
            self._crew.deaths_in_a_row = 0
            sent.seat.found_idle = False
            self._take(sent, results)

    def _take(self, sent: _Sent, results: list[RowResult] | TurnedAway) -> None:
        if isinstance(results, TurnedAway):  # the pool lets this actor go
            sent.seat.wanted = False
            self._queue.appendleft(sent.parcel)
        else:
            self._keep(sent.parcel, results)

    def _keep(self, parcel: Parcel, results: Sequence[RowResult]) -> None:
        indices, buffer = parcel.batch.indices, self._open[parcel.buffer]
        if len(results) != len(indices):
            raise PoolError(f"an actor gave {len(results)} results for {len(indices)} rows: mend the annotator")
        for index, result in zip(indices, results, strict=True):
            if buffer.results[index] is not None:
                raise PoolError(f"row {index} was answered twice: mend the batching")
            buffer.results[index] = result
        buffer.missing -= len(indices)

    def _lose(self, sent: _Sent, error: RayError) -> None:
        self._follow_roster_now()
        if not sent.seat.wanted:  # the pool let it go, perhaps with its answer still on the way
            self._queue.appendleft(sent.parcel)
        elif self._bulletin.last_running(sent.seat.name) == sent.parcel_id:
            words = self._bulletin.last_words(sent.parcel_id)
            why = words.strip().splitlines()[-1] if words else str(error)
            message = f"the actor {sent.seat.name} died while it ran this row: {why}"
            self._bury(sent.parcel, Death(RejectReason.ACTOR_DIED, message, words))
        else:  # it only waited behind the parcel that was running
            self._queue.appendleft(sent.parcel)

    def _bury(self, parcel: Parcel, death: Death) -> None:
        outcome = parcel.after(death, max_attempts=self._settings.max_attempts)
        if isinstance(outcome, list):
            self._queue.extendleft(reversed(outcome))
        else:
            self._keep(parcel, [outcome])

    def _doubt_overdue(self, now: float) -> None:
        for sent in self._sent.values():
            if sent.seat.ready and now > sent.doubt_at:
                sent.seat.ask(now)
        for ref, sent in list(self._sent.items()):
            if not sent.seat.ready and now > sent.doubt_at + self._settings.ping_seconds:
                del self._sent[ref]  # neither answered nor reported lost, and its actor is not there
                self._queue.appendleft(sent.parcel)
        for seat in self._crew.ready_seats():
            if seat.probe is not None and now > seat.probed_at + self._settings.ping_seconds:
                self._end(seat, self._bulletin.last_running(seat.name), "answers no ping")

    def _judge(self, seat: Seat, status: ActorStatus) -> None:
        mine = [sent for sent in self._sent.values() if sent.seat is seat]
        if not mine:
            return
        if status.overdue:
            self._end(seat, status.parcel_id, f"ran for more than {status.deadline_seconds:g} s")
        elif not status.parcel_id and seat.found_idle:
            self._end(seat, "", "does nothing, though it was sent a batch")
        else:
            seat.found_idle = not status.parcel_id
            rest = max(1.0, status.deadline_seconds - status.running_seconds)
            for sent in mine:
                sent.doubt_at = max(sent.doubt_at, time.monotonic() + rest)

    def _end(self, seat: Seat, guilty_parcel_id: str, why: str) -> None:
        message = f"the actor {seat.name} was ended: it {why}"
        self._crew.end(seat, message)
        for ref, sent in [(ref, sent) for ref, sent in self._sent.items() if sent.seat is seat]:
            del self._sent[ref]
            if sent.parcel_id == guilty_parcel_id:
                self._bury(sent.parcel, Death(RejectReason.DEADLINE, message))
            else:
                self._queue.appendleft(sent.parcel)

    def _check_hope(self, now: float) -> None:
        deaths = self._crew.deaths_in_a_row
        if deaths > self._settings.max_deaths_in_a_row * len(self._crew.seats):
            raise PoolError(
                f"actors died {deaths} times with no batch answered in between; the last error: {self._crew.last_error}"
            )
        since = self._crew.none_ready_since
        if since is None or any(sent.seat.ready for sent in self._sent.values()):
            return
        if failure := self._bulletin.failure():
            raise PoolError(f"the pool gave up: {failure}")
        if now - since > self._settings.grace_seconds:
            raise PoolError(f"no actor answered for {now - since:.0f} s; the last error: {self._crew.last_error}")
