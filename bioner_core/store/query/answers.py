"""The answer to a question as CSV, JSON or Parquet, written as it is read: an answer may be larger than memory."""

import csv
import json
import math
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from bioner_core.errors import ConfigurationError

_FORMULA = re.compile(r"[=+\-@\t\r]")


def answer_rows(answer: pa.RecordBatchReader) -> Iterator[tuple[object, ...]]:
    """The rows of an answer as Python's values.

    Raises:
        ConfigurationError: a value is out of Python's range, or DuckDB could not finish the answer.
    """
    for batch in answer:
        try:
            columns = [column.to_pylist() for column in batch.columns]
        except (OverflowError, ValueError, pa.ArrowException) as error:
            raise ConfigurationError(
                f"the answer holds a value that cannot be shown ({error}); cast it to VARCHAR, or write Parquet"
            ) from error
        yield from zip(*columns, strict=True)


def write_csv(answer: pa.RecordBatchReader, stream: TextIO, *, raw: bool = False) -> None:
    """Write comma-separated values with a header.

    A text that a spreadsheet would take for a formula has an apostrophe before it, unless `raw`.
    """
    cell: Callable[[object], str] = word_of if raw else _inert_word
    # Python's writer quotes a lone carriage return, which ends a row for many readers, only where lines end with one.
    lines = SimpleNamespace(write=lambda line: stream.write(line.removesuffix("\r\n") + "\n"))
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow([_inert(name) for name in answer.schema.names])
    for row in answer_rows(answer):
        writer.writerow([cell(value) for value in row])


def write_json(answer: pa.RecordBatchReader, stream: TextIO) -> None:
    """Write one object: `columns` and `rows`, each row as an object; NaN and infinity are null, JSON has neither."""
    names = answer.schema.names
    stream.write(f'{{"columns": {_json(names)}, "rows": [')
    for number, row in enumerate(answer_rows(answer)):
        stream.write((", " if number else "") + _json(dict(zip(names, row, strict=True))))
    stream.write("]}\n")


def write_parquet(answer: pa.RecordBatchReader, path: Path) -> None:
    """Write a Parquet file with the answer's own columns.

    Raises:
        ConfigurationError: a column is of a type that Parquet has no place for, or DuckDB could not finish the answer.
    """
    try:
        with pq.ParquetWriter(path, answer.schema, compression="zstd") as writer:
            for batch in answer:
                writer.write_batch(batch)
    except pa.ArrowNotImplementedError as error:
        raise ConfigurationError(
            f"the answer holds what Parquet cannot ({error}); cast it to VARCHAR, or take CSV or JSON"
        ) from error


def word_of(value: object) -> str:
    """A value as one cell of text: nothing for null, JSON for lists and structs."""
    if value is None:
        return ""
    return _json(value) if isinstance(value, list | dict) else str(value)


def _inert_word(value: object) -> str:
    return _inert(value) if isinstance(value, str) else word_of(value)


def _inert(text: str) -> str:
    """A text that no spreadsheet runs; texts of a dump are anybody's."""
    return "'" + text if _FORMULA.match(text) else text


def _finite(value: object) -> object:
    """The value with null for NaN and infinity, however deep in lists and structs they are."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return {name: _finite(one) for name, one in value.items()} if isinstance(value, dict) else value


def _json(value: object) -> str:
    return json.dumps(_finite(value), ensure_ascii=False, default=_plain, allow_nan=False)


def _plain(value: object) -> str | int | float:
    if isinstance(value, Decimal):  # such as the sum of integers
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
