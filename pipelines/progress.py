"""Progress of a job whose Beam runner works in this very process.

Beam pickles what it sends to its workers, and a progress bar cannot be pickled; workers therefore get a token and look
the reporter up. In another process the look-up finds nothing and progress is silent.
"""

import secrets
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
