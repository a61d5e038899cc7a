"""How a pool stands: the report of each actor and of all of them, and the note that its owner writes of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from bioner_core.inference.batching import BatchLimits
from bioner_core.process_identity import ProcessIdentity


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
