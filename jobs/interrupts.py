"""Ctrl-C and SIGTERM: end soon and in order, so that no actor and no Ray outlives the command."""

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_received: list[int] = []
_deferrals: list[bool] = []


def take_signals() -> None:
    """Let the first signal raise KeyboardInterrupt, and a second one end the process on the spot; main thread only."""
    for number in _SIGNALS:
        signal.signal(number, _interrupt)


def interrupted_exit_code() -> int | None:
    """What a shell expects of a process that a signal ended, or None if there was no signal."""
    return 128 + _received[0] if _received else None


@contextmanager
def signals_deferred() -> Iterator[None]:
    """Hold a signal back to the end of the block, for work that leaves something behind when it is cut short.

    Raises:
        KeyboardInterrupt: at the end of the block, if there was a signal.
    """
    _deferrals.append(True)
    try:
        yield
    finally:
        _deferrals.pop()
    if _received:
        raise KeyboardInterrupt


def _interrupt(number: int, frame: FrameType | None) -> None:
    if _received:
        os._exit(128 + number)
    _received.append(number)
    logging.disable(logging.CRITICAL)  # libraries log the traceback of whatever stops them
    if not _deferrals:
        raise KeyboardInterrupt
