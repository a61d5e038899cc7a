"""What every verb shares: words for people on standard error, and one result on standard output."""

import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import typer

from bioner_core.errors import ConfigurationError
from bioner_core.store.layout import Store


def say(message: str) -> None:
    """Tell a person something that is not the result: one line on standard error."""
    print(message, file=sys.stderr, flush=True)


def say_error(message: str) -> None:
    """Tell of what makes the command end with a fault, at once or after the rest: one line on standard error."""
    say(f"error: {message}")


def say_warning(message: str) -> None:
    """Tell of what a person should know and what changes no exit code by itself: one line on standard error."""
    say(f"warning: {message}")


@contextmanager
def told_step(begins: str, done: str, *, quiet: bool) -> Iterator[None]:
    """Say that a step begins and, unless it fails, that it is done and how long it took."""
    started = time.monotonic()
    if not quiet:
        say(f"{begins} ...")
    yield
    if not quiet:
        say(f"{done} after {time.monotonic() - started:.1f} s")


@contextmanager
def only_results_on_stdout() -> Iterator[None]:
    """Within the block, what libraries and child processes print goes to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        # A notebook's or test's `sys.stdout` does not write to descriptor 1: Ray's thread would print among results.
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def print_result(value: Mapping[str, Any], *, as_json: bool, show: Callable[[], None]) -> None:
    """Print the result of a verb: with `as_json` one JSON object and nothing else, otherwise what `show` prints."""
    if as_json:
        typer.echo(json.dumps(value, ensure_ascii=False, default=str))
    else:
        show()


def require_store(store: Store) -> None:
    """A mistyped store must not pass for an empty one.

    Raises:
        ConfigurationError: the folder is not there, or no job of bioner ever wrote to it.
    """
    if not store.root.is_dir():
        raise ConfigurationError(f"--store: {str(store)!r} is not there; `bioner annotate` makes one")
    if not any(path.exists() for path in store.signs):
        raise ConfigurationError(
            f"--store: {str(store)!r} is no store: it has no folder manifests; `bioner annotate` makes one"
        )


def require_folder_of(file: Path, *, option: str) -> None:
    """A mistyped folder must not be made for one file.

    Raises:
        ConfigurationError: the folder of the file is not there.
    """
    if not file.absolute().parent.is_dir():
        raise ConfigurationError(f"{option}: {str(file.parent)!r} is not there; make it, or name another folder")


def quiet_transformers() -> None:
    """Keep the library's own progress bars and advice to its developers off the screen; call it before its import."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TQDM_DISABLE", "1")
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
