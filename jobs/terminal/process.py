"""A command as a process: what becomes of its errors and interrupts, and how it ends."""

import logging
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, NoReturn

import typer

from bioner_core.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, BionerError, ConfigurationError
from jobs.terminal.console import say, say_error


def run_app(app: typer.Typer, arguments: Sequence[str], *, name: str, context: Any = None) -> int:
    """Run one command line and return its exit code; errors are one line on standard error.

    `context` is what commands find in `typer.Context.obj`.

    Raises:
        BrokenPipeError: whoever read standard output has gone.
    """
    try:
        code = app(args=list(arguments), prog_name=name, standalone_mode=False, obj=context)
    except typer.TyperException as error:
        said = error.format_message()
        say_error(f"{said if said.endswith(('.', '?')) else said + '.'} Try --help.")
        return EXIT_USAGE
    except BrokenPipeError:
        raise
    except (BionerError, OSError) as error:
        say_error(str(error))
        return EXIT_USAGE if isinstance(error, ConfigurationError) else EXIT_FAILED
    if code == EXIT_INTERRUPTED:
        say("interrupted: what a store or a training run holds stays, and the same command goes on from there")
    return int(code or 0)


def run_process(app: typer.Typer, arguments: Sequence[str], *, name: str, context: Any = None) -> NoReturn:
    """Run the command line of this process, and end the process with its exit code."""
    take_signals()
    sys.excepthook = _report_defect
    try:
        code = run_app(app, arguments, name=name, context=context)
        sys.stdout.flush()
    except BrokenPipeError:  # `head`, say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = EXIT_FAILED
    stopped = interrupted_exit_code()
    if stopped is not None:
        os._exit(stopped)  # a Beam thread may still wait for an actor that is gone; nothing of ours is left to tidy up
    sys.exit(code)


def _report_defect(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    sys.__excepthook__(kind, error, traceback)
    say_error(f"this is a defect of bioner ({kind.__name__}: {error}); please report it with the lines above")


_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_SAME_WISH_SECONDS = 0.5
"""`timeout` signals a process and then its group, and so tells it twice: what comes so soon is no second wish."""

_received: list[int] = []
_received_at: list[float] = []
_deferrals: list[bool] = []


def take_signals() -> None:
    """Let the first signal raise KeyboardInterrupt, and one half a second later end the process on the spot.

    For the main thread only.
    """
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
        if time.monotonic() - _received_at[0] < _SAME_WISH_SECONDS:
            return
        os._exit(128 + number)
    _received.append(number)
    _received_at.append(time.monotonic())
    logging.disable(logging.CRITICAL)  # libraries log the traceback of whatever stops them
    if not _deferrals:
        raise KeyboardInterrupt
