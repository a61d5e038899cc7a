"""The run as a whole: a process for each part, its steps read as they end, a new process where one died."""

import json
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bioner_core.device_bench.parts import StepsOf, core_steps, run_part
from bioner_core.device_bench.report import DeviceBench
from bioner_core.device_bench.settings import SHARES, DeviceBenchSettings
from bioner_core.device_bench.steps import FAILED, StepResult

JOURNAL_FILE = "steps.jsonl"

_GRACE_SECONDS = 10
_POLL_SECONDS = 0.2
_MOST_DEATHS = 8


def bench_device(
    settings: DeviceBenchSettings,
    *,
    steps_of: StepsOf = core_steps,
    on_step: Callable[[StepResult], None] = lambda _: None,
) -> DeviceBench:
    """Run all parts within the minutes; `on_step` hears of every step. The report is written anew after each."""
    settings.output.mkdir(parents=True, exist_ok=True)
    journal = settings.output / JOURNAL_FILE
    journal.unlink(missing_ok=True)
    watch = _Watch(settings, journal, on_step, steps_of)
    for place, part in enumerate(settings.parts):
        share = SHARES[part] / sum(SHARES[one] for one in settings.parts[place:])
        watch.run(part, deadline=time.time() + watch.left * share)
    return watch.bench


class _Watch:
    def __init__(
        self,
        settings: DeviceBenchSettings,
        journal: Path,
        on_step: Callable[[StepResult], None],
        steps_of: StepsOf,
    ) -> None:
        self.bench = DeviceBench(settings)
        self._settings = settings
        self._journal = journal
        self._on_step = on_step
        self._steps_of = steps_of
        self._read = 0
        self._open: str | None = None
        self._found: dict[str, Any] = {}
        self._ends = time.time() + 60 * settings.minutes

    @property
    def left(self) -> float:
        """Seconds that are left of all."""
        return self._ends - time.time()

    def run(self, part: str, *, deadline: float) -> None:
        """Run a part to its end, in as many processes as that takes."""
        for _ in range(_MOST_DEATHS):
            known = tuple(one.name for one in self.bench.steps if one.part == part)
            process = multiprocessing.get_context("spawn").Process(
                target=run_part,
                args=(self._settings, part, self._journal, deadline, known, self._steps_of),
            )
            process.start()
            was_late = self._follow(process, until=deadline + _GRACE_SECONDS)
            if self._open is None and process.exitcode == 0:
                return
            self._note_death(part, "ended: over its time" if was_late else f"the process died: {process.exitcode}")
            if was_late:
                return

    def _follow(self, process: Any, *, until: float) -> bool:
        """Read what a process writes down until it ends; whether it had to be ended."""
        while process.is_alive():
            process.join(_POLL_SECONDS)
            self._take_entries()
            if time.time() > until:
                process.kill()
                process.join()
                self._take_entries()
                return True
        self._take_entries()
        return False

    def _take_entries(self) -> None:
        """Read the whole lines that are new."""
        if not self._journal.is_file():
            return
        with self._journal.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            entry = json.loads(line)
            if "begins" in entry:
                self._open, self._found = entry["begins"], {}
            elif "found" in entry:
                self._found = entry
            else:
                self._open = None
                self._add(StepResult(**entry))

    def _note_death(self, part: str, reason: str) -> None:
        says = "; ".join(one for one in (self._found.get("says"), reason) if one)
        name, figures = self._open or "between steps", self._found.get("found", {})
        self._add(StepResult(part, name, FAILED, 0.0, says, figures))
        self._open, self._found = None, {}

    def _add(self, result: StepResult) -> None:
        self.bench.steps.append(result)
        self.bench.write()
        self._on_step(result)
