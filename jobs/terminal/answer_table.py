"""An answer for people: a table where its columns fit, one row after another as records where they do not.

What goes to a pipe or a file is never cut: whoever reads on there would lose data without a word.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

TABLE_ROWS = 1_000
"""How many rows a table shows; it says how many more there are not shown."""

_LEAST_CELL = 20
"""Columns that need more than this may be folded; if even so they do not fit side by side, rows become records."""
_GAP = 2


def write_table(
    names: Sequence[str], rows: Iterator[Sequence[str]], *, stream: TextIO, numeric: Sequence[bool] = ()
) -> None:
    """Write rows of printable texts; `numeric` columns stand to the right."""
    console = Console(file=stream)
    shown = list(islice(rows, TABLE_ROWS))
    widths = [max(cell_len(text) for text in column) for column in zip(names, *shown, strict=True)]
    whole = sum(widths) + _GAP * len(widths)
    if not console.is_terminal:
        console = Console(file=stream, width=max(whole, 1))
    if console.is_terminal and sum(min(width, _LEAST_CELL) + _GAP for width in widths) > console.width:
        _write_records(names, shown, console)
    else:
        _write_columns(names, shown, console, numeric or [False] * len(names))
    more = sum(1 for _ in rows)
    if more:
        print(f"... and {more} more rows; --format csv, json or parquet writes all", file=stream)


def _write_columns(
    names: Sequence[str], rows: Sequence[Sequence[str]], console: Console, numeric: Sequence[bool]
) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name, right in zip(names, numeric, strict=True):
        table.add_column(Text(name), justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def _write_records(names: Sequence[str], rows: Sequence[Sequence[str]], console: Console) -> None:
    for number, row in enumerate(rows, start=1):
        console.print(Text(f"row {number}", style="dim"))
        table = Table.grid(padding=(0, 1))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for name, text in zip(names, row, strict=True):
            table.add_row(Text(name), Text(text))
        console.print(table)
