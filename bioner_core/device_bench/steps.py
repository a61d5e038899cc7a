"""Steps, and running them one after the other: none stops the next, and each is written down when it ends."""

import gc
import json
import os
import time
import traceback
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bioner_core.errors import BionerError
from bioner_core.inference.row_isolation import is_fatal_device_error

DONE, FAILED, SKIPPED, CUT = "done", "failed", "skipped", "cut off"
"""What may become of a step; one is cut off when its part's time is up, which says nothing against the device."""

_TRACEBACK_LINES = 20
"""The last lines of an error's traceback that are kept: those of a library and of what called it."""


class StepSkippedError(BionerError):
    """What a step raises that cannot be done here; its text says why."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of a step. `says` is its result in one line, `figures` are plain JSON values."""

    part: str
    name: str
    outcome: str
    seconds: float
    says: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    error: tuple[str, ...] = ()
    lost_device: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Clock:
    """Time until a deadline, which is told by `time.time()`: processes share it."""

    deadline: float

    @property
    def left(self) -> float:
        """Seconds; negative when the time is up."""
        return self.deadline - time.time()


@dataclass(slots=True)
class Findings:
    """What a step has found so far; kept when the step fails on its way, or its process is ended."""

    figures: dict[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    on_note: Callable[["Findings"], None] = field(default=lambda _: None)

    @property
    def says(self) -> str:
        """All lines as one."""
        return "; ".join(self.lines)

    def note(self, line: str, **figures: Any) -> None:
        """Add a line for people, and figures."""
        self.lines.append(line)
        self.figures |= figures
        self.on_note(self)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to find out. `run` gets the clock of its part; `needs` are the seconds below which it is not begun."""

    name: str
    needs: float
    run: Callable[[Clock, Findings], None]


class Journal:
    """The file in which every step is written down, a JSON object per line: when it begins, and what became of it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self, part: str, name: str, *, clock: Clock) -> None:
        """A step begins, in a part with this clock."""
        self._write({"begins": name, "part": part, "deadline": clock.deadline})

    def found(self, findings: Findings) -> None:
        """What the step that is open has found so far."""
        self._write({"found": findings.figures, "says": findings.says})

    def end(self, result: StepResult) -> None:
        """A step has ended."""
        self._write(result.to_json())

    def _write(self, entry: Mapping[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False, default=str) + "\n")
            file.flush()
            os.fsync(file.fileno())


def run_steps(part: str, steps: Iterable[Step], *, clock: Clock, journal: Journal, known: Collection[str] = ()) -> None:
    """Run the steps of a part but for those already known; every error is written down, and the next step begins."""
    for step in steps:
        if step.name not in known:
            journal.begin(part, step.name, clock=clock)
            result = run_step(part, step, clock=clock, on_note=journal.found)
            journal.end(result)
            if result.lost_device:
                os._exit(1)  # nothing more can be done on the device here; a fresh process takes the steps to come


def traceback_lines(error: BaseException) -> tuple[str, ...]:
    """The end of an error's traceback, for those who look for what is wrong."""
    return tuple("".join(traceback.format_exception(error)).splitlines()[-_TRACEBACK_LINES:])


def run_step(
    part: str, step: Step, *, clock: Clock, on_note: Callable[[Findings], None] = lambda _: None
) -> StepResult:
    """Run one step; `on_note` hears of every finding."""
    left = max(0.0, clock.left)
    if left < step.needs:
        reason = f"needs about {step.needs:.0f} s, {left:.0f} s are left"
        return StepResult(part, step.name, SKIPPED, 0.0, reason)
    found, started = Findings(on_note=on_note), time.perf_counter()
    outcome, error, is_lost = DONE, tuple[str, ...](), False
    try:
        step.run(clock, found)
    except StepSkippedError as reason:
        outcome = SKIPPED
        found.lines.append(str(reason))
    except Exception as defect:  # noqa: BLE001 - the step boundary: a run that was paid for goes on
        outcome, is_lost = FAILED, is_fatal_device_error(defect)
        found.lines.append(f"{type(defect).__name__}: {(str(defect).strip().splitlines() or [''])[0]}")
        error = traceback_lines(defect)
    gc.collect()
    seconds = time.perf_counter() - started
    return StepResult(part, step.name, outcome, round(seconds, 2), found.says, found.figures, error, is_lost)
