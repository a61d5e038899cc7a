"""The run as a whole: a process that does the steps, read as they end, and a new process where one died."""

import json
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bioner_core.device_bench.parts import StepsOf, core_steps, run_parts
from bioner_core.device_bench.report import DeviceBench
from bioner_core.device_bench.settings import DeviceBenchSettings
from bioner_core.device_bench.steps import CUT, FAILED, StepResult

JOURNAL_FILE = "steps.jsonl"

GRACE_SECONDS = 10
"""How long a step may go on after its part's time is up before its process is ended."""

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
    watch.run()
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
        self._open: tuple[str, str] | None = None
        self._found: dict[str, Any] = {}
        self._ends = time.time() + 60 * settings.minutes
        self._deadline = self._ends

    def run(self) -> None:
        """Run all steps, in as many processes as that takes."""
        for _ in range(_MOST_DEATHS):
            known = tuple((one.part, one.name) for one in self.bench.steps)
            process = multiprocessing.get_context("spawn").Process(
                target=run_parts, args=(self._settings, self._journal, self._ends, known, self._steps_of)
            )
            process.start()
            was_late = self._follow(process)
            if self._open is not None:
                outcome, reason = (CUT, "over its time") if was_late else (FAILED, f"it died: {process.exitcode}")
                self._note_end(outcome, reason)
            elif process.exitcode == 0 or not self.bench.steps or was_late:
                return

    def _follow(self, process: Any) -> bool:
        """Read what a process writes down until it ends; whether it had to be ended."""
        while process.is_alive():
            process.join(_POLL_SECONDS)
            self._take_entries()
            if time.time() > self._deadline + GRACE_SECONDS:
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
                self._open, self._found = (entry["part"], entry["begins"]), {}
                self._deadline = float(entry["deadline"])
            elif "found" in entry:
                self._found = entry
            else:
                self._open = None
                self._add(StepResult(**entry))

    def _note_end(self, outcome: str, reason: str) -> None:
        says = "; ".join(one for one in (self._found.get("says"), reason) if one)
        part, name = self._open or ("", "")
        self._add(StepResult(part, name, outcome, 0.0, says, self._found.get("found", {})))
        self._open, self._found, self._deadline = None, {}, self._ends

    def _add(self, result: StepResult) -> None:
        self.bench.steps.append(result)
        self.bench.write()
        self._on_step(result)
