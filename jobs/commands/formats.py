"""`bioner formats`: what is read, with an example each."""

from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from bioner_core.formats.catalogue import FormatEntry, format_entries
from jobs.options.common import Json
from jobs.terminal.console import only_results_on_stdout, print_result
from jobs.terminal.result_console import result_console

HELP = """
List the formats that are read, in the order in which they are tried, and how a file of each begins.

A format is found by a file's content, its name plays no part; `--format NAME` of the other commands skips the trial.

\b
Examples:
  bioner formats
  bioner formats --json
"""


def formats(as_json: Json = False) -> int:
    """Print the formats; returns the exit code."""
    with only_results_on_stdout():
        entries = format_entries()
    print_result({"formats": [asdict(one) for one in entries]}, as_json=as_json, show=lambda: _show(entries))
    return 0


def _show(entries: tuple[FormatEntry, ...]) -> None:
    table = Table("--format", "what it is", "begins with, or is named", box=None, header_style="bold", pad_edge=False)
    for one in entries:
        table.add_row(Text(one.name, no_wrap=True), Text(one.what), Text(one.example.partition("\n")[0]))
    result_console().print(table)
