"""Answers for people: whole in a pipe, readable on a narrow terminal."""

import io

import pytest

from jobs.terminal.answer_table import TABLE_ROWS, write_table

NAMES = ["doc_id", "title", "text", "section", "journal", "more"]
ROW = [f"cnki:{'4e0f' * 20}", "a title " * 20, "x" * 300, "abstract", "a journal", "9"]


class Terminal(io.StringIO):
    """A terminal of 80 columns, as rich sees it."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def written(stream: io.StringIO, *rows: list[str]) -> str:
    """The rows as they are written."""
    write_table(NAMES, iter(rows), stream=stream)
    return stream.getvalue()


def test_a_pipe_gets_whole_cells_and_one_line_a_row() -> None:
    """Catches ids that are cut on their way to grep."""
    text = written(io.StringIO(), ROW, ROW)
    assert len(text.splitlines()) == 3
    assert all(cell.strip() in text.splitlines()[1] for cell in ROW)


def test_a_narrow_terminal_gets_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches heads of three letters over cells of two."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    text = written(Terminal(), ROW)
    assert "row 1" in text
    assert "doc_id" in text
    assert ROW[0].strip() in text.replace("\n", "").replace(" ", "")
    assert all(len(line) <= 80 for line in text.splitlines())


def test_rows_beyond_the_last_are_counted() -> None:
    """Catches a table that ends in silence."""
    assert "and 5 more rows" in written(io.StringIO(), *[ROW] * (TABLE_ROWS + 5))
