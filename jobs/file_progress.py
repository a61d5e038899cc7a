"""Progress over many files: a plain line for each, since each has a bar of its own for its records."""

import time

from bioner_core.duration import spoken_duration
from jobs.console import say


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
        line = f"{self._finished}/{self._total} files"
        left = self._total - self._finished
        if left and self._fresh:
            seconds = left * (time.monotonic() - self._started) / self._fresh
            line += f"  about {spoken_duration(seconds)} left"
        say(line)
