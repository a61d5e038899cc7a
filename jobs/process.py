"""A command as a process: what becomes of its errors and interrupts, and how it ends."""

import os
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any, NoReturn

import typer

from bioner_core.errors import BionerError, ConfigurationError
from jobs.console import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, say, warn
from jobs.interrupts import interrupted_exit_code, take_signals


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
        warn(f"{said if said.endswith(('.', '?')) else said + '.'} Try --help.")
        return EXIT_USAGE
    except BrokenPipeError:
        raise
    except (BionerError, OSError) as error:
        warn(str(error))
        return EXIT_USAGE if isinstance(error, ConfigurationError) else EXIT_FAILED
    if code == EXIT_INTERRUPTED:
        say("interrupted: what is committed stays, and the same command goes on from there")
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
    warn(f"this is a defect of bioner ({kind.__name__}: {error}); please report it with the lines above")
