"""`bioner query`: SQL over the newest state of a store."""

import csv
import json
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import pyarrow as pa
import pyarrow.parquet as pq
import typer

from bioner_core.errors import ConfigurationError
from bioner_core.store.atomic import replacing
from bioner_core.store.history.model_notes import mixed_models
from bioner_core.store.query.named_queries import TYPE_PARAMETERS, named_queries, named_query
from bioner_core.store.query.query_session import QuerySession, query_session
from bioner_core.store.snapshot.snapshot_manifest import current_id
from jobs.options.common import OfModel, Store, bytes_of
from jobs.terminal.answer_table import write_table
from jobs.terminal.console import only_results_on_stdout, require_folder_of, require_store, say
from jobs.terminal.mention_table import printable
from pipelines.watch.run_history import run_history

HELP = """
Ask the newest state of a store with SQL (DuckDB), read-only. Views: documents, mentions (accepted), candidates (all),
rejects, deletions, lineage, shards, runs. Ready questions have names; --list shows them and what can be set.

\b
Examples:
  bioner query --store my-store "SELECT type, count(*) FROM mentions GROUP BY type"
  bioner query --store my-store --named top_entities --param type=Disease --format csv
  bioner query --store my-store --named lineage --param mention=pubmed:1@1:p0:0-4:genia:protein
  bioner query --store my-store "FROM mentions" --format parquet --output mentions.parquet
"""

_LEAST_MEMORY = 64 * 1024**2


class AnswerFormat(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


Sql = Annotated[str | None, typer.Argument(help="One SELECT.", show_default=False)]
Named = Annotated[str | None, typer.Option(help="A ready question instead of SQL.")]
Param = Annotated[list[str] | None, typer.Option("--param", metavar="NAME=VALUE", help="A value; repeatable.")]
Format = Annotated[AnswerFormat, typer.Option("--format", help="How to write the answer.")]
Output = Annotated[Path | None, typer.Option(help="File for the answer. Default: standard output.", dir_okay=False)]
Timeout = Annotated[float, typer.Option(help="Seconds after which the question is given up.", min=1)]
Raw = Annotated[
    bool,
    typer.Option("--raw", help="CSV: leave texts that a spreadsheet would take for a formula (= + - @) as they are."),
]
Memory = Annotated[str, typer.Option(help="How much memory DuckDB may use; the rest goes to disk.")]


def _show_named(wanted: bool) -> None:
    if not wanted:
        return

    for one in named_queries():
        print(f"{one.name}: {one.answers}")
        for parameter in one.parameters:
            given = "needed" if parameter.default is None else f"default {parameter.default!r}"
            print(f"    {parameter.name}: {parameter.meaning} ({given})")
    raise typer.Exit


ListNamed = Annotated[
    bool, typer.Option("--list", callback=_show_named, is_eager=True, help="Show the ready questions and stop.")
]


def query(
    store: Store,
    sql: Sql = None,
    named: Named = None,
    param: Param = None,
    answer_format: Format = AnswerFormat.TABLE,
    output: Output = None,
    memory: Memory = "2GB",
    timeout: Timeout = 3600.0,
    raw: Raw = False,
    model: OfModel = None,
    list_named: ListNamed = False,
) -> int:
    """Answer one question; returns the exit code."""
    if (sql is None) == (named is None):
        raise ConfigurationError("give either one SELECT or --named; `bioner query --list` shows the names")
    if answer_format is AnswerFormat.PARQUET and output is None:
        raise ConfigurationError("--output: name a file for Parquet")
    if output is not None:
        require_folder_of(output, option="--output")
    given = _given(param or [])
    require_store(store)
    with _session(store, memory, timeout, model) as session:
        answer = _asked(session, sql, named, given)
        words = "raw csv" if raw and answer_format is AnswerFormat.CSV else answer_format.value
        if output is None:
            print_answer(answer, words)
        else:
            save_answer(answer, words, output)
    return 0


def _asked(session: QuerySession, sql: str | None, named: str | None, given: Mapping[str, str]) -> pa.RecordBatchReader:
    if named is None:
        return session.ask(sql or "", given)
    question = named_query(named)
    values = question.bound(given)
    asked = {value for name, value in values.items() if name in TYPE_PARAMETERS and value}
    if asked:
        _check_types(asked, session.types())
    return session.ask(question.sql, values)


def _check_types(asked: set[str], known: set[str]) -> None:
    """A type that the store does not have gets no empty answer, which would look like `no such entity`."""
    for name in sorted(asked - known):
        has = ", ".join(sorted(known)) or "none"
        raise ConfigurationError(f"--param: the store has no type {name!r}; it has {has}")


@contextmanager
def _session(store: Path, memory: str, timeout: float, model: str | None) -> Iterator[QuerySession]:
    with only_results_on_stdout():
        memory_bytes = bytes_of(memory, option="--memory", least=_LEAST_MEMORY)
        history = None
        if current_id(store) is None:
            history = run_history(store)
            say("note: there is no snapshot; reading committed shards, which is slower. `bioner compact` makes one")
    with query_session(store, memory_bytes=memory_bytes, history=history, seconds=timeout, model=model) as session:
        if model is None and len(session.models) > 1:
            say(f"note: {mixed_models(store, session.models)}; --model asks of one alone")
        yield session


def _given(words: list[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    for name, equals, _ in pairs:
        if not equals or not name.isidentifier():
            raise ConfigurationError(f"--param: {name!r} is not NAME=VALUE")
    return {name: value for name, _, value in pairs}


_NUMBERS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)


def print_answer(answer: pa.RecordBatchReader, answer_format: str) -> None:
    """Write an answer to standard output as `table`, `csv`, `raw csv` or `json`.

    In `csv` a text that a spreadsheet would take for a formula has an apostrophe before it.

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
    writers = {"table": _write_table, "csv": _write_csv, "raw csv": _write_raw_csv, "json": _write_json}
    writers[answer_format](answer, stream)


def _rows(answer: pa.RecordBatchReader) -> Iterator[tuple[object, ...]]:
    for batch in answer:
        try:
            columns = [column.to_pylist() for column in batch.columns]
        except (OverflowError, ValueError, pa.ArrowException) as error:
            raise ConfigurationError(
                f"the answer holds a value that cannot be shown ({error}); cast it to VARCHAR, or write Parquet"
            ) from error
        yield from zip(*columns, strict=True)


def _write_table(answer: pa.RecordBatchReader, stream: TextIO) -> None:
    numeric = [any(is_of(field.type) for is_of in _NUMBERS) for field in answer.schema]
    names = [printable(field.name) for field in answer.schema]
    rows = ([printable(_word(value)) for value in row] for row in _rows(answer))
    write_table(names, rows, stream, numeric=numeric)


_FORMULA = re.compile(r"[=+\-@\t\r]")


def _write_csv(answer: pa.RecordBatchReader, stream: TextIO) -> None:
    _write_cells(answer, stream, lambda value: _inert(value) if isinstance(value, str) else _word(value))


def _write_raw_csv(answer: pa.RecordBatchReader, stream: TextIO) -> None:
    _write_cells(answer, stream, _word)


def _write_cells(answer: pa.RecordBatchReader, stream: TextIO, cell: Callable[[object], str]) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([_inert(name) for name in answer.schema.names])
    for row in _rows(answer):
        writer.writerow([cell(value) for value in row])


def _inert(text: str) -> str:
    """A text that no spreadsheet runs; texts of a dump are anybody's."""
    return "'" + text if _FORMULA.match(text) else text


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
