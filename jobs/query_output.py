"""Answers to queries as a table, CSV, JSON or Parquet; all but the table stream."""

import csv
import json
import math
import sys
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TextIO

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bioner_core.store.atomic import replacing
from jobs.mention_table import printable

TABLE_ROWS = 1_000
"""How many rows a table shows; it says how many more there are not shown."""

_PIPE_WIDTH = 160
_NUMBERS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)


def print_answer(answer: pa.RecordBatchReader, answer_format: str) -> None:
    """Write an answer to standard output as `table`, `csv` or `json`.

    Raises:
        ConfigurationError: DuckDB could not finish the answer.
    """
    _write_text(answer, answer_format, sys.stdout)


def save_answer(answer: pa.RecordBatchReader, answer_format: str, path: Path) -> None:
    """Write an answer to a file, which appears when it is whole.

    Raises:
        ConfigurationError: DuckDB could not finish the answer.
        StoreError: the file cannot be written.
    """
    with replacing(path) as temporary:
        if answer_format == "parquet":
            with pq.ParquetWriter(temporary, answer.schema, compression="zstd") as writer:
                for batch in answer:
                    writer.write_batch(batch)
        else:
            with temporary.open("w", encoding="utf-8", newline="") as stream:
                _write_text(answer, answer_format, stream)


def _write_text(answer: pa.RecordBatchReader, answer_format: str, stream: TextIO) -> None:
    writers = {"table": _write_table, "csv": _write_csv, "json": _write_json}
    writers[answer_format](answer, stream)


def _rows(answer: pa.RecordBatchReader) -> Iterator[tuple[object, ...]]:
    for batch in answer:
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _write_table(answer: pa.RecordBatchReader, stream: TextIO) -> None:
    console = Console(file=stream)
    if not console.is_terminal:
        console = Console(file=stream, width=_PIPE_WIDTH)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for field in answer.schema:
        numeric = any(is_of(field.type) for is_of in _NUMBERS)
        table.add_column(Text(printable(field.name)), justify="right" if numeric else "left")
    rows = _rows(answer)
    for row in islice(rows, TABLE_ROWS):
        table.add_row(*(Text(printable(_word(value))) for value in row))
    console.print(table)
    more = sum(1 for _ in rows)
    if more:
        console.print(f"... and {more} more rows; --format csv, json or parquet writes all", markup=False)


def _write_csv(answer: pa.RecordBatchReader, stream: TextIO) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(answer.schema.names)
    for row in _rows(answer):
        writer.writerow([_word(value) for value in row])


def _write_json(answer: pa.RecordBatchReader, stream: TextIO) -> None:
    """One object: `columns` and `rows`, each row an object; written row by row."""
    names = answer.schema.names
    stream.write(f'{{"columns": {_json(names)}, "rows": [')
    for number, row in enumerate(_rows(answer)):
        stream.write((", " if number else "") + _json(dict(zip(names, map(_finite, row), strict=True))))
    stream.write("]}\n")


def _finite(value: object) -> object:
    """JSON knows no NaN and no infinity."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _word(value: object) -> str:
    if value is None:
        return ""
    return _json(value) if isinstance(value, list | dict) else str(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: object) -> str | int | float:
    if isinstance(value, Decimal):  # such as the sum of integers
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
