"""The command `bioner`: its verbs, and what becomes of errors and interrupts."""

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Annotated, NoReturn

import typer

import bioner_core
from bioner_core.errors import BionerError, ConfigurationError
from jobs import annotate, evaluate, mentions, models, status, train, verify
from jobs.console import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_TERMINATED, EXIT_USAGE, say, warn

app = typer.Typer(
    help="Nested biomedical entities from literature dumps, in English and Chinese, to Parquet.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(models.app, name="models")
app.command(help=annotate.HELP)(annotate.annotate)
app.command(help=status.HELP)(status.status)
app.command(help=verify.HELP)(verify.verify)
app.command(help=mentions.HELP)(mentions.mentions)
app.add_typer(train.app, name="train")
app.command(help=evaluate.HELP)(evaluate.evaluate)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"bioner {bioner_core.__version__}")
        raise typer.Exit


@app.callback()
def bioner(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Check what all verbs have in common."""
    if context.obj and context.invoked_subcommand != "annotate":
        raise typer.BadParameter(f"{' '.join(context.obj)}: only annotate takes options after a lone --")


def run_command(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; errors are one line on standard error."""
    words, beam_options = _split_beam_options(arguments)
    try:
        code = app(args=words, prog_name="bioner", standalone_mode=False, obj=beam_options)
    except typer.TyperException as error:
        warn(f"{error.format_message()} (see `bioner --help`, and --help after a verb)")
        return EXIT_USAGE
    except ConfigurationError as error:
        warn(str(error))
        return EXIT_USAGE
    except BionerError as error:
        warn(str(error))
        return EXIT_FAILED
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        warn(str(error))
        return EXIT_FAILED
    if code == EXIT_INTERRUPTED:
        say("interrupted: what is committed stays, and the same command goes on from there")
    return int(code or 0)


def main() -> NoReturn:
    """The console script: run the command of this process and end the process with its exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.excepthook = _report_defect
    try:
        code = run_command(sys.argv[1:])
    except BrokenPipeError:  # the reader of our output, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_FAILED
    except SystemExit as ended:
        code = int(ended.code or 0)
    if code in (EXIT_INTERRUPTED, EXIT_TERMINATED):
        sys.stdout.flush()
        os._exit(code)  # a Beam thread may still wait for an actor that is gone; nothing of ours is left to tidy up
    sys.exit(code)


def _split_beam_options(arguments: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    words = list(arguments)
    if "--" not in words:
        return words, ()
    place = words.index("--")
    return words[:place], tuple(words[place + 1 :])


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(EXIT_TERMINATED)  # unlike the default action, this closes what is open on the way out


def _report_defect(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    sys.__excepthook__(kind, error, traceback)
    warn(f"this is a defect of bioner ({kind.__name__}: {error}); please report it with the lines above")


if __name__ == "__main__":
    main()
