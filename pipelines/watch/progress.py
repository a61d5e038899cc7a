"""What goes on beside the work proper: who is told of its progress, and what is done again every now and then.

Beam pickles what it sends to its workers, and a progress bar cannot be pickled; workers therefore get a token and look
the reporter up. In another process the look-up finds nothing, and `pipelines.watch.store_follower` tells the reporter.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
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


@contextmanager
def repeating(act: Callable[[], None], *, every_seconds: float, name: str) -> Iterator[None]:
    """Call `act` at once and then every so many seconds, in a thread of its own, until the block is left.

    When that is, a call that has begun is ended first.
    """
    ended = threading.Event()

    def repeat() -> None:
        while True:
            act()
            if ended.wait(every_seconds):
                return

    thread = threading.Thread(target=repeat, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
