"""SQL over a store: read-only, in bounded memory, and without a way to any other file or to the network."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from bioner_core.errors import ConfigurationError, StoreError
from bioner_core.store.bounded_database import bounded_database
from bioner_core.store.history.model_notes import chosen_fingerprint
from bioner_core.store.layout import Store
from bioner_core.store.left_behind import temporary_folder
from bioner_core.store.newest import newest_of
from bioner_core.store.objects.duckdb_files import let_read_objects
from bioner_core.store.paths import StorePath
from bioner_core.store.query.compared_files import compare_shards, compare_snapshot
from bioner_core.store.query.link_views import link_views
from bioner_core.store.query.model_views import model_documents, only_of_model
from bioner_core.store.query.query_views import shard_views, snapshot_views
from bioner_core.store.reading import shown_manifests
from bioner_core.store.snapshot.run_history import RunHistory
from bioner_core.store.snapshot.snapshot_reading import open_snapshot

_BATCH_ROWS = 10_000
"""Rows of an answer that are in memory at once."""


@dataclass(frozen=True, slots=True)
class QuerySession:
    """Answers questions. `origin` is the id of the snapshot, or empty where committed shards are read.

    `models` are the fingerprints of what made the newest documents, and how many each made.
    """

    origin: str
    _database: duckdb.DuckDBPyConnection
    models: Mapping[str, int] = field(default_factory=dict)

    def types(self) -> set[str]:
        """The types of entities that the store has, accepted or turned down."""
        found = self._database.sql("SELECT type FROM entity_years UNION SELECT type FROM entity_choices").fetchall()
        return {name for (name,) in found}

    def rows(self, sql: str, parameters: Mapping[str, str | Sequence[str]] | None = None) -> list[dict[str, Any]]:
        """The rows of an answer by column, all in memory.

        Raises:
            ConfigurationError: as `ask`.
        """
        found: list[dict[str, Any]] = self.ask(sql, parameters).read_all().to_pylist()
        return found

    @contextmanager
    def given_up_after(self, seconds: float | None) -> Iterator[None]:
        """Whatever is being answered so many seconds from now is given up, unless the block has ended before."""
        timer = threading.Timer(seconds, self._database.interrupt) if seconds else None
        if timer is not None:
            timer.daemon = True
            timer.start()
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()

    def ask(self, sql: str, parameters: Mapping[str, str | Sequence[str]] | None = None) -> pa.RecordBatchReader:
        """The answer, streamed; read it before the session ends and before the next question.

        Columns of one name are numbered as DuckDB numbers those of a table: `text`, `text_1`.

        Raises:
            ConfigurationError: the text is not exactly one SELECT, or DuckDB refuses it.
        """
        statement = _only_select(sql)
        try:
            answer = self._database.sql(statement, params=dict(parameters or {}) or None)
            if answer is None:
                raise ConfigurationError("the query has no answer; ask with SELECT")
            reader = answer.to_arrow_reader(_BATCH_ROWS)
            schema = _with_own_names(reader.schema)
            return pa.RecordBatchReader.from_batches(schema, _told(reader, schema))
        except duckdb.Error as error:
            raise _told_error(error) from error


def _with_own_names(schema: pa.Schema) -> pa.Schema:
    """A name for each column. Names that differ in case alone count as one: DuckDB, which may read them, holds so."""
    given = {name.casefold() for name in schema.names}
    taken: set[str] = set()
    columns = []
    for column in schema:
        name, number = column.name, 0
        while name.casefold() in taken or (number and name.casefold() in given):
            number += 1
            name = f"{column.name}_{number}"
        taken.add(name.casefold())
        columns.append(column.with_name(name))
    return pa.schema(columns)


def _told(reader: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The batches; faults that show while the answer is read are told as those that show before."""
    try:
        for batch in reader:
            yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)
    except (duckdb.Error, pa.ArrowInvalid, OSError) as error:
        raise _told_error(error) from error


def _told_error(error: Exception) -> ConfigurationError:
    if "INTERRUPT" in str(error):
        return ConfigurationError("--timeout: the query took longer; ask for less, or give it more time")
    return ConfigurationError(f"the query cannot be answered: {error}")


@contextmanager
def query_session(
    store: Store,
    *,
    memory_bytes: int,
    history: RunHistory | None = None,
    threads: int | None = None,
    seconds: float | None = None,
    model: str | None = None,
) -> Iterator[QuerySession]:
    """Open the current snapshot of a store, or its committed shards where there is none.

    `history` tells the runs where no snapshot does. After `seconds` whatever is being answered is given up.
    With `model` (its first digits, or its name) the views hold only documents that this model annotated.

    Of a store in a folder the files of a snapshot, of the shards and of the links are compared with their digests, each
    of these up to `MOST_COMPARED_BYTES`.

    Raises:
        StoreError: the store is damaged, as far as that is noticed, or of a newer schema version.
        ConfigurationError: the path of the store cannot be named in a query.
    """
    store = Store(store.root.resolve())  # queries name files by their true path
    with (
        temporary_folder("query") as scratch,
        bounded_database(memory_bytes, scratch) as database,
    ):
        if threads is not None:
            database.execute("SET threads = $threads", {"threads": threads})
        let_read_objects(database, store.root)
        snapshot = open_snapshot(store)
        try:
            if snapshot is not None:
                compare_snapshot(snapshot)
                paths = snapshot_views(
                    database, snapshot.paths_by_table(), schema_version=snapshot.manifest.schema_version
                )
            else:
                manifests = list(shown_manifests(store))
                compare_shards(store, manifests)
                paths = shard_views(database, store, manifests=manifests, history=history or RunHistory())
            fingerprints = model_documents(database)
            if model is not None:
                only_of_model(database, chosen_fingerprint(store, model, known=fingerprints))
            # Counts by concept are of the whole snapshot.
            paths += link_views(database, store, newest=newest_of(store, snapshot), counted=model is None)
            _shut(database, paths)
        except duckdb.Error as error:
            raise StoreError(f"{store}: cannot be opened for queries ({error}). Run `bioner verify`") from error
        session = QuerySession(snapshot.manifest.snapshot_id if snapshot else "", database, fingerprints)
        with session.given_up_after(seconds):
            yield session


def _shut(database: duckdb.DuckDBPyConnection, paths: list[StorePath]) -> None:
    """From here on only these files can be read; statements that could write them are refused before they run."""
    database.execute("SET python_enable_replacements = false")  # else a query sees variables of this program
    database.execute("SET allowed_paths = $paths", {"paths": [str(path) for path in paths]})
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")


def _only_select(sql: str) -> duckdb.Statement:
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise ConfigurationError(f"the query is not SQL: {error}") from error
    # EXPLAIN is no way out: EXPLAIN ANALYZE runs what it explains, also a COPY to a file that may be read.
    if len(statements) != 1 or statements[0].type is not duckdb.StatementType.SELECT:
        raise ConfigurationError(
            "the query must be one SELECT (or WITH ... SELECT); nothing else can be run on a store"
        )
    return statements[0]
