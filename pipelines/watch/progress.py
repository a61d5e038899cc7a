"""Who is told of the progress of a job, and how Beam's workers find whom to tell.

In a worker of another process the look-up finds nothing; then `pipelines.watch.store_follower` tells the reporter.
"""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class ProgressReporter(Protocol):
    """Told of work planned and done; may be called from several threads."""

    def planned(self, records: int) -> None:
        """So many more records are to be done in all."""
        ...

    def done(self, records: int, *, skipped: bool) -> None:
        """So many more records are done; `skipped` if an earlier run had committed them."""
        ...


class SilentProgress:
    """Tells nobody."""

    def planned(self, records: int) -> None:
        """Nothing happens."""

    def done(self, records: int, *, skipped: bool) -> None:
        """Nothing happens."""


class FirstDone:
    """Passes on what it is told, and remembers when (monotonic seconds) the first piece was done in this run."""

    def __init__(self, reporter: ProgressReporter) -> None:
        self._reporter = reporter
        self.at: float | None = None

    def planned(self, records: int) -> None:
        """Pass it on."""
        self._reporter.planned(records)

    def done(self, records: int, *, skipped: bool) -> None:
        """Pass it on, and look at the clock the first time."""
        if self.at is None and not skipped:
            self.at = time.monotonic()
        self._reporter.done(records, skipped=skipped)


_REPORTERS: dict[str, ProgressReporter] = {}
"""By token: Beam pickles what it sends to its workers, and a progress bar cannot be pickled, so a token is sent."""


@contextmanager
def reporting(reporter: ProgressReporter) -> Iterator[str]:
    """Lend a token under which `reporter` can be found in this process until the block ends."""
    token = secrets.token_hex(8)
    _REPORTERS[token] = reporter
    try:
        yield token
    finally:
        del _REPORTERS[token]


def reporter_for(token: str) -> ProgressReporter:
    """The reporter behind a token, or a silent one where there is none."""
    return _REPORTERS.get(token) or SilentProgress()
