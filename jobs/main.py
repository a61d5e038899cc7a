"""The command `bioner` and its verbs."""

import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

import bioner_core
from jobs import (
    annotate,
    backfill,
    bench,
    compact,
    evaluate,
    export,
    mentions,
    models,
    nightly,
    pool,
    query,
    report,
    retry,
    show,
    status,
    train,
    verify,
)
from jobs.process import run_app, run_process

PROGRAM = "bioner"

app = typer.Typer(
    help="Nested biomedical entities from literature dumps, in English and Chinese, to Parquet.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(models.app, name="models")
app.command(help=annotate.HELP)(annotate.annotate)
app.add_typer(nightly.app, name="nightly")
app.add_typer(backfill.app, name="backfill")
app.add_typer(pool.app, name="pool")
app.command(help=status.HELP)(status.status)
app.command(help=retry.HELP)(retry.retry)
app.command(help=verify.HELP)(verify.verify)
app.command(help=mentions.HELP)(mentions.mentions)
app.command(help=compact.HELP)(compact.compact)
app.command(help=query.HELP)(query.query)
app.command(help=show.HELP)(show.show)
app.command(help=report.HELP)(report.report)
app.command(help=export.HELP)(export.export)
app.add_typer(train.app, name="train")
app.command(help=evaluate.HELP)(evaluate.evaluate)
app.add_typer(bench.app, name="bench")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"{PROGRAM} {bioner_core.__version__}")
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
        raise typer.BadParameter(f"{' '.join(context.obj)}: only annotate takes options after a lone --.")


def run_command(arguments: Sequence[str]) -> int:
    """Run one command line in this process and return its exit code; errors are one line on standard error."""
    words, beam_options = split_beam_options(arguments)
    return run_app(app, words, name=PROGRAM, context=beam_options)


def main() -> NoReturn:
    """The console script."""
    words, beam_options = split_beam_options(sys.argv[1:])
    run_process(app, words, name=PROGRAM, context=beam_options)


def split_beam_options(arguments: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """The words for bioner, and those after a lone `--`, which are for Beam. No words at all ask for help."""
    words = list(arguments) or ["--help"]
    if "--" not in words:
        return words, ()
    place = words.index("--")
    return words[:place], tuple(words[place + 1 :])


if __name__ == "__main__":
    main()
