"""The slots of a pool: each name, its actor now, and how that is asked, drained and ended."""

import time
from dataclasses import dataclass
from typing import Any

import ray

from pipelines.pool.actors import HEALTH_GROUP, ActorStatus
from pipelines.pool.pool_report import ActorReport, SlotState

_NUMBER_AFTER = "-"
_SILENT_SECONDS = 15.0
"""An actor that has answered nothing for so long, though it was asked, is stopped or holds the interpreter lock."""


@dataclass(slots=True)
class ActorSlot:
    """One name, and the actor that bears it at the moment.

    `answered` is said of the present actor. `status` is how it stands, None while that is not known; `said` is the last
    status that any actor of this name gave. A draining actor is asked to retire each time that it is asked how it is,
    so that one that Ray has restarted meanwhile hears of it too. `last_answer_at` is when the present actor last
    answered, or was made: while Ray restarts it, each ping comes back unanswered at once. It, `asked_at`,
    `drain_until` and `create_at` are monotonic seconds.
    """

    name: str
    handle: Any = None
    ping: Any = None
    asked_at: float = 0.0
    last_answer_at: float = 0.0
    answered: bool = False
    status: ActorStatus | None = None
    said: ActorStatus | None = None
    restarts: int = 0
    failed_starts: int = 0
    last_error: str = ""
    given_up: bool = False
    create_at: float = 0.0
    draining: bool = False
    drain_until: float = 0.0
    leaving: bool = False

    @property
    def number(self) -> int:
        """The number in the name."""
        return int(self.name.rpartition(_NUMBER_AFTER)[2])

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """The lower, the sooner this slot goes when there are too many: first what does not work, then the newest."""
        return (not self.given_up, self.answered, -self.number)

    def attach(self, handle: Any) -> None:
        """Take an actor that has just been made, and ask it how it is."""
        self.handle, self.answered, self.last_answer_at = handle, False, time.monotonic()
        self.ask()

    def ask(self) -> None:
        """Ask the actor how it is; a draining one is told to retire."""
        method = self.handle.retire if self.draining else self.handle.ping
        self.ping, self.asked_at = method.options(concurrency_group=HEALTH_GROUP).remote(), time.monotonic()

    def on_ping(self, status: ActorStatus) -> None:
        """Take the actor's answer."""
        self.status = self.said = status
        self.restarts = status.restarts
        self.answered, self.failed_starts, self.last_answer_at = True, 0, time.monotonic()

    def on_ping_failed(self, error: Exception) -> None:
        """Take it that the actor did not answer, and why."""
        self.status, self.last_error = None, str(error)

    def drain(self, until: float) -> None:
        """Let the actor end what it runs, and begin nothing more."""
        self.draining, self.drain_until, self.ping = True, until, None

    def leave(self) -> None:
        """Let an actor that has retired and is idle end its process, once its last answer is on its way."""
        if not self.leaving:
            self.leaving = True
            self.handle.__ray_terminate__.remote()

    def kill(self) -> None:
        """End the actor's process now; a dead actor keeps its name until it is killed."""
        if self.handle is not None:
            ray.kill(self.handle)

    def report(self) -> ActorReport:
        """How the actor stands, as far as it has said."""
        status = self.status or ActorStatus(0)
        return ActorReport(
            name=self.name,
            state=self._state(),
            pid=status.pid,
            node_id=status.node_id,
            batch=status.batch_id,
            running_seconds=status.running_seconds,
            restarts=self.restarts,
            failed_starts=self.failed_starts,
            last_error=self.last_error,
            busy_share=status.busy.share,
        )

    def _state(self) -> SlotState:
        if self.given_up:
            return SlotState.GIVEN_UP
        if self.draining:
            return SlotState.DRAINING
        if self.status is None:
            return SlotState.STARTING
        if self.ping is not None and time.monotonic() - self.asked_at > _SILENT_SECONDS:
            return SlotState.SILENT
        return SlotState.BUSY if self.status.batch_id else SlotState.IDLE
