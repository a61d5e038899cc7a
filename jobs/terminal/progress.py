"""Progress of long work on standard error: a bar on a terminal, now and then a plain line in a log."""

import sys
import threading
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from bioner_core.spoken import spoken_count, spoken_duration
from jobs.terminal.console import say

LINE_SECONDS = 10.0
"""How often a log gets a line."""


class ProgressBar:
    """Counts pieces of work of one kind (`unit`, in the plural) for the `with` block; safe in several threads.

    The speed counts what was done since work was first planned, without what was skipped because an earlier run had
    done it.
    """

    def __init__(self, unit: str, *, quiet: bool = False) -> None:
        self._unit = unit
        self._quiet = quiet
        self._lock = threading.Lock()
        self._total = self._finished = self._fresh = 0
        self._written = -1
        self._started = self._last_line = time.monotonic()
        console = Console(stderr=True)
        self._bar = _bar(console, unit, disabled=quiet or not console.is_terminal)
        self._writes_lines = not quiet and not console.is_terminal
        self._task = self._bar.add_task(unit, total=None, rate=0.0)

    def __enter__(self) -> Self:
        """Start the clock and the bar."""
        self._started = self._last_line = time.monotonic()
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave the bar as it stands; a log gets its last line."""
        self._bar.stop()
        if self._writes_lines and self._total and self._written != self._finished:
            self._write_line()

    def planned(self, pieces: int) -> None:
        """So many more pieces are to be done in all."""
        with self._lock:
            if not self._total:  # what came before was no work, and would make the time left too long
                self._started = time.monotonic()
            self._total += pieces
            self._bar.update(self._task, total=self._total)

    def done(self, pieces: int, *, skipped: bool = False) -> None:
        """So many more pieces are done; `skipped` if an earlier run had done them."""
        with self._lock:
            self._finished += pieces
            self._fresh += 0 if skipped else pieces
            self._bar.update(self._task, completed=self._finished, rate=self.rate)
            if self._writes_lines and time.monotonic() - self._last_line >= LINE_SECONDS:
                self._write_line()

    @property
    def rate(self) -> float:
        """Pieces per second since work was first planned, skipped ones left out."""
        return self._fresh / max(time.monotonic() - self._started, 1e-9)

    def _write_line(self) -> None:
        self._last_line, self._written = time.monotonic(), self._finished
        line = f"{self._finished}/{self._total} {self._unit}  {self.rate:.1f} {self._unit}/s"
        if self._fresh and self._finished < self._total:
            line += f"  about {spoken_duration((self._total - self._finished) / self.rate)} left"
        print(line, file=sys.stderr, flush=True)


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.fields['rate']:.1f} {task.description}/s")


def _bar(console: Console, unit: str, *, disabled: bool) -> Progress:
    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        _RateColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=console,
        disable=disabled,
    )


class FileProgress:
    """Says after each file how many are done, and about how long the rest will take."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._total = self._finished = self._fresh = 0
        self._started = time.monotonic()

    def planned(self, records: int) -> None:
        """So many more files are to be done in all."""
        self._total += records

    def done(self, records: int, *, skipped: bool) -> None:
        """So many more files are done; `skipped` if nothing had to be done."""
        self._finished += records
        self._fresh += 0 if skipped else records
        if self._quiet:
            return
        line = f"{self._finished}/{spoken_count(self._total, 'file')}"
        left = self._total - self._finished
        if left and self._fresh:
            seconds = left * (time.monotonic() - self._started) / self._fresh
            line += f"  about {spoken_duration(seconds)} left"
        say(line)
