"""`bioner query`: SQL over the newest state of a store."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, TextIO

import pyarrow as pa
import typer

from bioner_core.errors import ConfigurationError
from bioner_core.store.atomic import replacing
from bioner_core.store.history.model_notes import mixed_models
from bioner_core.store.layout import Store
from bioner_core.store.query.answers import answer_rows, word_of, write_csv, write_json, write_parquet
from bioner_core.store.query.named_queries import TYPE_PARAMETERS, named_queries, named_query
from bioner_core.store.query.query_session import QuerySession, query_session
from bioner_core.store.query.query_views import VIEWS
from bioner_core.store.snapshot.snapshot_manifest import current_id
from jobs.options.common import OfModel, StoreOption, bytes_of
from jobs.terminal.answer_table import write_table
from jobs.terminal.console import only_results_on_stdout, require_folder_of, say
from jobs.terminal.damage import require_store_to_show
from jobs.terminal.mention_table import printable
from pipelines.watch.run_history import run_history

HELP = f"""
Ask the newest state of a store with SQL (DuckDB), read-only. Views: {", ".join(VIEWS)}. Ready questions have names;
--list shows them and what can be set, and what each view holds.

\b
Examples:
  bioner query --store my-store "SELECT type, count(*) FROM mentions GROUP BY type"
  bioner query --store my-store --named top_entities --param type=Disease --format csv
  bioner query --store my-store --named lineage --param mention=pubmed:1@1:p0:0-4:genia:protein
  bioner query --store my-store "FROM mentions" --format parquet --output mentions.parquet
"""  # noqa: S608 - a text for people

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
    print("views, for SQL of your own:")
    for name, content in VIEWS.items():
        print(f"    {name}: {content}")
    raise typer.Exit


ListNamed = Annotated[
    bool,
    typer.Option(
        "--list", callback=_show_named, is_eager=True, help="Show the ready questions and the views, and stop."
    ),
]


def query(
    store: StoreOption,
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
    if sql in {one.name for one in named_queries()}:
        raise ConfigurationError(f"{sql!r} is no SQL but the name of a ready question: give it as --named {sql}")
    if answer_format is AnswerFormat.PARQUET and output is None:
        raise ConfigurationError("--output: name a file for Parquet")
    if output is not None:
        require_folder_of(output, option="--output")
    given = _given(param or [])
    require_store_to_show(store)
    with _session(store, memory, timeout, model) as session:
        answer = _asked(session, sql, named, given)
        words = "raw csv" if raw and answer_format is AnswerFormat.CSV else answer_format.value
        if output is None:
            print_answer(answer, words)
        else:
            save_answer(answer, words, path=output)
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
def _session(store: Store, memory: str, timeout: float, model: str | None) -> Iterator[QuerySession]:
    with only_results_on_stdout():
        memory_bytes = bytes_of(memory, option="--memory", least=_LEAST_MEMORY)
        history = None
        if current_id(store) is None:
            history = run_history(store)
            say("note: there is no snapshot; reading committed shards, which is slower. `bioner compact` makes one")
    with query_session(store, memory_bytes=memory_bytes, history=history, seconds=timeout, model=model) as session:
        if model is None and len(session.models) > 1:
            say(f"note: {mixed_models(store, session.models)}; --model shows one of them")
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


def save_answer(answer: pa.RecordBatchReader, answer_format: str, *, path: Path) -> None:
    """Write an answer to a file, which appears when it is whole.

    Raises:
        ConfigurationError: DuckDB could not finish the answer.
        StoreError: the file cannot be written.
    """
    with replacing(path) as temporary:
        if answer_format == "parquet":
            write_parquet(answer, temporary)
        else:
            with temporary.open("w", encoding="utf-8", newline="") as stream:
                _write_text(answer, answer_format, stream)


def _write_text(answer: pa.RecordBatchReader, answer_format: str, stream: TextIO) -> None:
    writers: dict[str, Callable[[pa.RecordBatchReader, TextIO], None]] = {
        "table": _write_table,
        "csv": write_csv,
        "raw csv": partial(write_csv, raw=True),
        "json": write_json,
    }
    writers[answer_format](answer, stream)


def _write_table(answer: pa.RecordBatchReader, stream: TextIO) -> None:
    numeric = [any(is_of(field.type) for is_of in _NUMBERS) for field in answer.schema]
    names = [printable(field.name) for field in answer.schema]
    rows = ([printable(word_of(value)) for value in row] for row in answer_rows(answer))
    write_table(names, rows, stream=stream, numeric=numeric)
