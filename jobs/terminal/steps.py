"""What a person sees while something starts: one line when a step begins, one with its seconds when it is done."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from jobs.terminal.console import say


@contextmanager
def told_step(begins: str, done: str, *, quiet: bool) -> Iterator[None]:
    """Say that a step begins and, unless it fails, that it is done and how long it took."""
    started = time.monotonic()
    if not quiet:
        say(f"{begins} ...")
    yield
    if not quiet:
        say(f"{done} after {time.monotonic() - started:.1f} s")
