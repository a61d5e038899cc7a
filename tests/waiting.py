"""Waiting for what other threads and processes do."""

import time
from collections.abc import Callable

_PAUSE_SECONDS = 0.05


def await_true(condition: Callable[[], bool], *, seconds: float = 120.0) -> None:
    """Return as soon as it is true; fail if it is not after so long, which is no measure of speed but a way out."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(_PAUSE_SECONDS)
