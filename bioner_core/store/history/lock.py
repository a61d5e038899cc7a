"""One job at a time on a store; or several parts of one backfill, and nothing else beside them."""

import random
import re
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from bioner_core.errors import ConfigurationError, ObjectStorageError, StoreError
from bioner_core.process_identity import ProcessIdentity, this_process
from bioner_core.store.history.lock_claims import Claim, Claims, FileClaims, PlacedClaim
from bioner_core.store.history.lock_leases import ObjectClaims
from bioner_core.store.layout import Store

LEASE_SECONDS = 900.0
"""How long a holder on another host may be silent before it counts as dead."""

HEARTBEAT_SECONDS = 30.0
"""How often a holder shows that it lives: thirty times in a lease, so that a slow disk loses no lock."""

_GRACE_SECONDS = 2.0
"""How long a claim on the whole store waits for parts that have seen it and are giving way."""

_TAKEN: list[tuple[Store, ProcessIdentity]] = []
"""The locks that this process has taken and not given back."""

_WHOLE = "store"
_PART_NAME = re.compile(r"part-(\d+)-of-(\d+)")


@dataclass(frozen=True, slots=True)
class Part:
    """Part `number` (from 1) of `of` parts of one piece of work, whose parts may run side by side.

    Raises:
        ConfigurationError: the number is not one of 1 to `of`.
    """

    number: int
    of: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise ConfigurationError(f"shard: is {self.number}/{self.of}; use K/N with K from 1 to N")

    @property
    def whole(self) -> bool:
        """Whether there is no other part."""
        return self.of == 1


class StoreLock:
    """Holds a store for the `with` block. A lock whose holder is dead is taken over; `took_over` says whose it was.

    `purpose` is shown to whoever finds the lock; `part` lets other parts of the same split in beside this one.
    """

    def __init__(
        self,
        store: Store,
        *,
        purpose: str,
        run_id: str = "",
        part: Part | None = None,
        wait_seconds: float = 0.0,
        lease_seconds: float = LEASE_SECONDS,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._store = store
        self._part = part if part is not None and not part.whole else None
        self._name = f"part-{self._part.number}-of-{self._part.of}" if self._part else _WHOLE
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._claim = Claim(this_process(), run_id or secrets.token_hex(4), purpose, now)
        self._wait_seconds = wait_seconds
        self._lease_seconds = lease_seconds
        self._heartbeat_seconds = heartbeat_seconds
        self._taken = (store.absolute(), self._claim.holder)
        self._claims = claims_of(store)
        self._placed: PlacedClaim | None = None
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="store-lock", daemon=True)
        self.took_over = ""

    def __enter__(self) -> Self:
        """Take the lock, waiting for it up to `wait_seconds`.

        Raises:
            StoreError: somebody else holds it for longer than that, or the store cannot be written.
        """
        deadline = time.monotonic() + self._wait_seconds
        self._placed = self._claimed(deadline)
        try:
            self._await_others(deadline)
        except BaseException:
            self._give_back()
            raise
        self._heart.start()
        _TAKEN.append(self._taken)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give the lock back."""
        self._ended.set()
        self._heart.join()
        _TAKEN.remove(self._taken)
        self._give_back()

    def check(self) -> None:
        """Make sure that the lock is still ours: a host that slept for longer than the lease has lost it.

        Raises:
            StoreError: somebody has taken it over; nothing more may be written.
        """
        if self._placed is None or not self._claims.is_ours(self._name, self._placed):
            raise StoreError(_lost_message(self._store, self._lease_seconds))

    def _claimed(self, deadline: float) -> PlacedClaim:
        while True:
            latest = self._claims.latest(self._name)
            if latest is not None and self._is_live(latest):
                self._wait_for(latest, deadline)
                continue
            placed = self._claims.place(self._name, self._claim, after=latest)
            if placed is not None:
                self.took_over = _dead_holder(latest)
                return placed

    def _is_live(self, placed: PlacedClaim) -> bool:
        return self._claims.is_live(placed, lease_seconds=self._lease_seconds)

    def _await_others(self, deadline: float) -> None:
        """Parts give way to a job of the whole store at once; that job waits until they are gone."""
        # Race: a part and a whole-store job may each claim before they see the other. Both claims stand then; the part
        # takes its own back and waits, so one of the two always goes on.
        if self._part is None:
            deadline = max(deadline, time.monotonic() + _GRACE_SECONDS)
        while (other := self._conflict()) is not None:
            if self._part is None:
                self._wait_for(other, deadline)
                continue
            self._give_back()
            self._wait_for(other, deadline)
            self._placed = self._claimed(deadline)

    def _conflict(self) -> PlacedClaim | None:
        """A live claim that may not be held beside this one."""
        names = self._claims.names("part-*")
        if self._part is not None:
            names = [name for name in names if _parts(name) != self._part.of] + [_WHOLE]
        for placed in map(self._claims.latest, names):
            if placed is not None and (self._is_live(placed) or not self._claims.revoke(placed)):
                return placed
        return None

    def _wait_for(self, other: PlacedClaim, deadline: float) -> None:
        if time.monotonic() >= deadline:
            who = str(other.claim) if other.claim is not None else f"an unreadable lock, {other.path}"
            raise StoreError(
                f"{self._store}: another job is at work on this store ({who}). Wait for it to end, or let this command "
                "wait with --wait SECONDS"
            )
        # Drawn anew each time, so that two that wait do not keep step.
        pause = self._claims.poll_seconds * random.uniform(0.5, 1.5)  # noqa: S311
        time.sleep(min(pause, max(0.0, deadline - time.monotonic())))

    def _beat(self) -> None:
        while not self._ended.wait(self._heartbeat_seconds):
            try:
                if self._placed is not None:
                    self._claims.renew(self._placed)
            except (OSError, ObjectStorageError):
                continue  # `check` will say it, in the thread that can stop the work

    def _give_back(self) -> None:
        placed, self._placed = self._placed, None
        if placed is not None and self._claims.is_ours(self._name, placed):
            self._claims.free(placed, self._claim)


def claims_of(store: Store) -> Claims:
    """The claims of a store, in its folder or on object storage."""
    return ObjectClaims(store) if store.is_remote else FileClaims(store)


def live_claims(store: Store) -> list[Claim]:
    """Who is at work on a store now: one job, or several parts of one.

    Raises:
        StoreError: the claims cannot be read.
    """
    claims = claims_of(store)
    return [claim for placed, claim in _held_claims(claims) if claims.is_live(placed, lease_seconds=LEASE_SECONDS)]


def taken_here(store: Store) -> ProcessIdentity | None:
    """The holder of a lock of the store that this process has taken and not given back; None where it took none.

    A lock that was lost is one, too, so that `check_holder` can tell.
    """
    return next((holder for taken, holder in _TAKEN if taken == store.absolute()), None)


def holds_store(store: Store, process: ProcessIdentity) -> bool:
    """Whether a process holds the lock of a store, as seen from here; on object storage its fence sees to that."""
    if store.is_remote:
        return True
    claims = claims_of(store)
    mine = (placed for placed, claim in _held_claims(claims) if claim.holder == process)
    return any(claims.is_live(placed, lease_seconds=LEASE_SECONDS) for placed in mine)


def check_holder(store: Store, holder: ProcessIdentity | None) -> None:
    """Make sure that a job still holds the store, in any process of it: call it right before a commit.

    It reads a small file for each part that is at work. None, as `taken_here` gives it, is a job that took no lock.

    Raises:
        StoreError: the lock is another job's by now; nothing may be committed.
    """
    if holder is not None and not holds_store(store, holder):
        raise StoreError(_lost_message(store, LEASE_SECONDS))


def _held_claims(claims: Claims) -> Iterator[tuple[PlacedClaim, Claim]]:
    """The claims that count, and were not given back."""
    for placed in map(claims.latest, [_WHOLE, *claims.names("part-*")]):
        if placed is not None and placed.claim is not None and placed.claim.held:
            yield placed, placed.claim


def _lost_message(store: Store, lease_seconds: float) -> str:
    return (
        f"{store}: this job lost its lock: it was silent for more than {lease_seconds:.0f} s. What is committed stays; "
        "run the same command again"
    )


def _parts(name: str) -> int:
    found = _PART_NAME.fullmatch(name)
    return int(found.group(2)) if found else 0


def _dead_holder(latest: PlacedClaim | None) -> str:
    if latest is None or (latest.claim is not None and not latest.claim.held):
        return ""
    return str(latest.claim) if latest.claim is not None else f"an unreadable lock, {latest.path.name}"
