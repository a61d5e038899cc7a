"""Where tables of results are printed: as wide as the terminal, and wide enough where there is none."""

from rich.console import Console

PIPE_WIDTH = 120
"""Columns of a table that goes to a file or another program, where rich alone would take 80 and cut cells."""


def result_console(*, pipe_width: int = PIPE_WIDTH) -> Console:
    """The console of standard output."""
    console = Console()
    return console if console.is_terminal else Console(width=pipe_width)
