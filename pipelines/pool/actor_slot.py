"""How a pool stands: each name with the actor that bears it at the moment, and the report of all of them."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import ray

from bioner_core.inference.batching import BatchLimits
from bioner_core.store.history.process_identity import ProcessIdentity
from pipelines.pool.actors import HEALTH_GROUP, ActorStatus

_NUMBER_AFTER = "-"
_SILENT_SECONDS = 15.0
"""An actor that has answered nothing for so long, though it was asked, is stopped or holds the interpreter lock."""


class SlotState(StrEnum):
    """What the actor of a name is doing."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    SILENT = "silent"
    DRAINING = "draining"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class ActorReport:
    """How one actor stands. `batch` is the batch that it runs, empty when idle; `pid` is 0 while it starts; `node` is
    the name of its machine, where somebody has looked that up.

    `restarts` counts the processes of this name that were ready for work, but for the first; `failed_starts` those in a
    row that never were. `busy_share` is the part of its time that it worked, None before its first batch.
    """

    name: str
    state: SlotState
    pid: int = 0
    node_id: str = ""
    node: str = ""
    batch: str = ""
    running_seconds: float = 0.0
    restarts: int = 0
    failed_starts: int = 0
    last_error: str = ""
    busy_share: float | None = None


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


@dataclass(frozen=True, slots=True)
class PoolReport:
    """The state of a named pool. `beat` grows with each report, so a reader can tell a silent owner from a living one.

    `model` says in words what the actors hold; `limits` are those of the actor that can take least; `wanted` is how
    many actors there should be, `stopping` whether the pool is being stopped, and `drain_seconds` how long its actors
    may then take to end what they run.
    """

    name: str
    address: str
    owner: ProcessIdentity
    fingerprint: str
    model: Mapping[str, str]
    limits: BatchLimits
    wanted: int
    drain_seconds: float
    started: str
    beat: int = 0
    stopping: bool = False
    actors: Sequence[ActorReport] = field(default_factory=tuple)

    @property
    def ready(self) -> int:
        """How many actors take batches."""
        return sum(one.state in (SlotState.IDLE, SlotState.BUSY) for one in self.actors)

    def as_json(self) -> dict[str, Any]:
        """A plain object for `--json` and for the kv."""
        return asdict(self) | {"ready": self.ready}


def report_text(report: PoolReport) -> str:
    """The report as a note."""
    return json.dumps(report.as_json())


def read_report_text(text: str) -> PoolReport:
    """The report that `report_text` wrote.

    Raises:
        ValueError, KeyError, TypeError: another version of bioner wrote it.
    """
    values = json.loads(text)
    del values["ready"]
    return PoolReport(
        **values
        | {
            "owner": ProcessIdentity(**values["owner"]),
            "limits": BatchLimits(**values["limits"]),
            "actors": tuple(_actor(one) for one in values["actors"]),
        }
    )


def _actor(values: Mapping[str, Any]) -> ActorReport:
    return ActorReport(**{**values, "state": SlotState(values["state"])})
