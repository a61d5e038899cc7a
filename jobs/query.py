"""`bioner query`: SQL over the newest state of a store."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bioner_core.errors import ConfigurationError
from jobs.console import only_results_on_stdout, require_store, say
from jobs.memory_size import bytes_of
from jobs.options import Store

if TYPE_CHECKING:
    from bioner_core.store.query.query_session import QuerySession

HELP = """
Ask the newest state of a store with SQL (DuckDB), read-only. Views: documents, mentions (accepted), candidates (all),
rejects, deletions, lineage, shards, runs. Ready questions have names; --list shows them and what can be set.

\b
Examples:
  bioner query --store my-store "SELECT type, count(*) FROM mentions GROUP BY type"
  bioner query --store my-store --named top_entities --param type=disease --format csv
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
Param = Annotated[list[str] | None, typer.Option("--param", metavar="NAME=VALUE", help="A value; may be given often.")]
Format = Annotated[AnswerFormat, typer.Option("--format", help="How to write the answer.")]
Output = Annotated[Path | None, typer.Option(help="File for the answer; else standard output.", dir_okay=False)]
Memory = Annotated[str, typer.Option(help="How much memory DuckDB may use; the rest goes to disk.")]


def _show_named(wanted: bool) -> None:
    if not wanted:
        return
    from bioner_core.store.query.named_queries import named_queries

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
    list_named: ListNamed = False,
) -> int:
    """Answer one question; returns the exit code."""
    if (sql is None) == (named is None):
        raise ConfigurationError("give either one SELECT or --named; `bioner query --list` shows the names")
    if answer_format is AnswerFormat.PARQUET and output is None:
        raise ConfigurationError("--output: name a file for Parquet")
    given = _given(param or [])
    require_store(store)
    with _session(store, memory) as session:
        _write(session, sql, named, given, answer_format=answer_format, output=output)
    return 0


def _write(
    session: "QuerySession",
    sql: str | None,
    named: str | None,
    given: Mapping[str, str],
    *,
    answer_format: AnswerFormat,
    output: Path | None,
) -> None:
    from bioner_core.store.query.named_queries import named_query
    from jobs.query_output import print_answer, save_answer

    if named is not None:
        question = named_query(named)
        answer = session.ask(question.sql, question.bound(given))
    else:
        answer = session.ask(sql or "", given)
    if output is None:
        print_answer(answer, answer_format.value)
    else:
        save_answer(answer, answer_format.value, output)


@contextmanager
def _session(store: Path, memory: str) -> Iterator["QuerySession"]:
    with only_results_on_stdout():
        from bioner_core.store.query.query_session import query_session
        from bioner_core.store.snapshot.snapshot_manifest import current_id
        from pipelines.watch.run_history import run_history

        memory_bytes = bytes_of(memory, option="--memory", least=_LEAST_MEMORY)
        history = None
        if current_id(store) is None:
            history = run_history(store)
            say("note: there is no snapshot; reading committed shards, which is slower. `bioner compact` makes one")
    with query_session(store, memory_bytes=memory_bytes, history=history) as session:
        yield session


def _given(words: list[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    for name, equals, _ in pairs:
        if not equals or not name.isidentifier():
            raise ConfigurationError(f"--param: {name!r} is not NAME=VALUE")
    return {name: value for name, _, value in pairs}
