"""The shards of one feeder, between its Beam worker, which takes them, and the launcher, which gives them and asks.

A feeder may commit only while the launcher asks it often enough: one that was paused, and whose shards were given to
another, must not write them late.
"""

import os
import resource
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bioner_core.errors import StoreError
from bioner_core.process_memory import peak_memory
from bioner_core.store.layout import ShardDescriptor
from pipelines.summary import ShardOutcome
from pipelines.watch.progress import reporting

LEASE_SECONDS = 40.0
"""A feeder that was not asked for so long takes it that its shards are another one's."""

SILENT_SECONDS = 60.0
"""A feeder that has not answered for so long is ended; longer than the lease, so that it commits nothing by then."""


@dataclass(frozen=True, slots=True)
class FeederReport:
    """What a feeder answers: `outcomes` are those since its last answer, in their order.

    `records` are all that it has settled; `over` says that its pipeline has ended, by the `error` if there is one;
    `lost` that it was not asked in time, and commits nothing more; `pool_error` that the actors cannot be reached any
    more. `cpu_seconds` and `peak_memory` (bytes) are those of its process.
    """

    outcomes: tuple[ShardOutcome, ...] = ()
    records: int = 0
    over: bool = False
    error: str = ""
    lost: bool = False
    pool_error: bool = False
    pid: int = 0
    cpu_seconds: float = 0.0
    peak_memory: int = 0


def elapsed_seconds() -> float:
    """A clock that goes on while its process is paused, and where it can be had while the machine sleeps."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class GivenShards:
    """A `ShardSource` that its launcher fills. Safe in several threads.

    Without a question for `lease_seconds` the shards are another feeder's; infinite where there is no other one.
    `holds_store` says whether the launcher's lock on the store is still there. Who takes a shard waits for one for
    `wait_seconds` before it looks after the answers to those that it has. `clock` gives seconds.
    """

    def __init__(
        self,
        *,
        lease_seconds: float = LEASE_SECONDS,
        holds_store: Callable[[], bool] = lambda: True,
        wait_seconds: float = 0.05,
        clock: Callable[[], float] = elapsed_seconds,
    ) -> None:
        self._lease_seconds = lease_seconds
        self._holds_store = holds_store
        self._wait_seconds = wait_seconds
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: deque[ShardDescriptor] = deque()
        self._outcomes: list[ShardOutcome] = []
        self._records = 0
        self._stopped = False
        self._over = False
        self._error = ""
        self._pool_error = False
        self._lost = False
        self._asked_at = self._clock()

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be done: shards may come as long as the launcher asks."""
        with self._changed:
            self._note_silence()
            return self._lost or self._stopped

    def take(self) -> ShardDescriptor | None:
        """The next shard; None if none has come after a moment."""
        with self._changed:
            if not self._waiting and not self._stopped:
                self._changed.wait(self._wait_seconds)
            return self._waiting.popleft() if self._waiting and not self._stopped else None

    def check(self) -> None:
        """Make sure that the shards are still this feeder's: call it right before a commit.

        Raises:
            StoreError: the launcher has not asked for so long that it may have given them to another one, or is gone.
        """
        if not self._holds_store():
            raise StoreError("the job of this feeder no longer holds the lock of the store: nothing was committed")
        with self._changed:
            self._note_silence()
            if self._lost or self._stopped:
                raise StoreError(
                    f"this feeder was stopped, or not asked for more than {self._lease_seconds:g} s, so that its "
                    "shards may be another feeder's by now: nothing was committed"
                )

    def tell(self, outcome: ShardOutcome, *, pool_error: bool) -> None:
        """Take note of how a shard ended, and whether the actors are beyond reach."""
        with self._changed:
            self._outcomes.append(outcome)
            self._pool_error = pool_error

    def planned(self, records: int) -> None:
        """Nothing: the launcher plans."""

    def done(self, records: int, *, skipped: bool) -> None:
        """So many more records are settled, if not yet committed."""
        with self._changed:
            self._records += records

    def stop(self) -> None:
        """Have nothing more begun or committed."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def close(self, error: str = "") -> None:
        """The pipeline has ended, by this error if there is one."""
        with self._changed:
            self._over, self._error = True, error

    def exchange(self, shards: Sequence[ShardDescriptor]) -> FeederReport:
        """Take more shards, and tell what has ended since the last time."""
        with self._changed:
            self._note_silence()
            self._asked_at = self._clock()
            self._waiting += shards
            self._changed.notify_all()
            outcomes, self._outcomes = tuple(self._outcomes), []
            usage = resource.getrusage(resource.RUSAGE_SELF)
            return FeederReport(
                outcomes=outcomes,
                records=self._records,
                over=self._over,
                error=self._error,
                lost=self._lost,
                pool_error=self._pool_error,
                pid=os.getpid(),
                cpu_seconds=usage.ru_utime + usage.ru_stime,
                peak_memory=peak_memory(),
            )

    def _note_silence(self) -> None:
        # Race: questions that were sent before a pause arrive all at once after it. So a silence counts for good: the
        # first question after it does not undo it.
        self._lost |= self._clock() - self._asked_at > self._lease_seconds


_LENT: dict[str, GivenShards] = {}
"""By token: Beam pickles what it sends to its workers, and they are to share this very object, so a token is sent."""


@contextmanager
def lent(given: GivenShards) -> Iterator[str]:
    """Lend a token under which Beam's workers in this process find the shards, and tell their progress."""
    with reporting(given) as token:
        _LENT[token] = given
        try:
            yield token
        finally:
            del _LENT[token]


def given_shards(token: str) -> GivenShards:
    """The shards behind a token."""
    return _LENT[token]
