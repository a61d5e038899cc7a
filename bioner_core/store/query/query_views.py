"""The views of a query: what `documents`, `mentions` and the rest mean, over a snapshot or over committed shards."""

from collections.abc import Mapping, Sequence

import duckdb
import pyarrow as pa

from bioner_core.store.history.current import current_shards
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Manifest
from bioner_core.store.mention_ids import REPEAT_AFTER_DOC_ID
from bioner_core.store.paths import StorePath
from bioner_core.store.query.link_views import LINK_VIEWS
from bioner_core.store.query.parquet_source import quoted_path
from bioner_core.store.query.summaries import make_summary_views
from bioner_core.store.schemas import SCHEMA_VERSION, SCHEMAS
from bioner_core.store.snapshot.run_history import RunHistory, run_rows, shard_rows
from bioner_core.store.snapshot.snapshot_schemas import SORTED_TABLES, SUMMARY_TABLES, row_schema, view_schema

VIEWS = {
    "documents": "the newest version of each document, with year and journal of its meta",
    "headings": "what indexers filed these documents under: MeSH headings, substances, JATS subjects, class codes",
    "mentions": "accepted mentions of these documents",
    "candidates": "all their mention candidates, accepted or not",
    "rejects": "records and sentences without annotation, and why",
    "deletions": "documents that their source has withdrawn",
    "lineage": "the shard and record that each document comes from",
    "shards": "what is committed: input file, model fingerprint, software version, counts",
    "runs": "runs that ended, with their counts",
    "entity_years": "accepted entities (in lower case) of each type and year, `rank` 1 the most mentioned",
    "nested_entities": "accepted entities inside accepted entities",
    "entity_pairs": "accepted entities in one sentence, none inside the other, each pair once",
    "entity_choices": "entities that the selector turned down at least once, and how often",
    **LINK_VIEWS,
}
"""What can be asked, and what it holds."""

_ABOUT = ("shards", "runs")

_OF_MENTIONS = """
CREATE VIEW mentions AS SELECT * EXCLUDE (accepted) FROM candidates WHERE accepted
"""
_STORED_DOCUMENTS = """
CREATE VIEW documents AS
SELECT doc_id, source, version, lang, meta.year AS year, meta.journal AS journal, passages, meta FROM stored_documents
"""


HEADINGS = """
CREATE VIEW {schema}.headings AS
SELECT doc_id, heading.vocabulary, heading.id, heading.name, heading.qualifier, heading.major
FROM (SELECT doc_id, unnest(meta.headings) AS heading FROM {schema}.documents)
"""
"""Makes the view `headings` of the documents of a schema."""


def snapshot_views(
    database: duckdb.DuckDBPyConnection,
    paths: Mapping[str, Sequence[StorePath]],
    *,
    schema_version: int = SCHEMA_VERSION,
) -> list[StorePath]:
    """Make the views of a snapshot, whose files are given by table; returns the files that they read.

    Columns that its schema version did not have are null. Summaries that the snapshot does not have are made when they
    are asked.

    Raises:
        ConfigurationError: the path of the store cannot be named in a query.
    """
    older = schema_version < SCHEMA_VERSION
    for table in (*SORTED_TABLES, *_ABOUT):
        _snapshot_view(database, table, paths.get(table, ()), older=older)
    _finish(database)
    if any(paths.get(table) for table in SUMMARY_TABLES):
        for table in SUMMARY_TABLES:
            _snapshot_view(database, table, paths.get(table, ()), older=older)
    else:
        make_summary_views(database)
    return [path for found in paths.values() for path in found]


def _snapshot_view(database: duckdb.DuckDBPyConnection, table: str, paths: Sequence[StorePath], *, older: bool) -> None:
    columns = ", ".join(f'"{name}"' for name in view_schema(table).names)
    cut = ", hive_partitioning = true, hive_types = {'source': VARCHAR}" if table in SORTED_TABLES else ""
    source = _parquet(paths, cut) if paths else _nothing(database, table)
    if older and paths:
        source = _with_later_columns(database, table, source)
    database.execute(f"CREATE VIEW {_view_name(table)} AS SELECT {columns} FROM {source}")  # noqa: S608 - of schemas


def _with_later_columns(database: duckdb.DuckDBPyConnection, table: str, source: str) -> str:
    """The rows of a source, and none of a table that has all columns: those that the source lacks become null."""
    declared = row_schema(table)
    database.register(f"later_{table}", declared.empty_table())
    return f"(FROM {source} UNION ALL BY NAME FROM later_{table})"


def shard_views(
    database: duckdb.DuckDBPyConnection, store: Store, *, manifests: Sequence[Manifest], history: RunHistory
) -> list[StorePath]:
    """Make the views of what is committed; returns the files that they read.

    The newest version rule is applied when a view is asked.

    Raises:
        ConfigurationError: the path of the store cannot be named in a query.
        StoreError: the store is damaged.
    """
    _register_current(database, store)
    paths = {table: _paths(store, manifests, table) for table in SCHEMAS}
    files = [(str(path), one.shard_id, one.source) for one in manifests for path in _paths(store, [one], None)]
    names = ("filename", "shard", "source")
    columns = {name: pa.array([row[at] for row in files], pa.string()) for at, name in enumerate(names)}
    database.register("shard_files", pa.table(columns))
    for table, found in paths.items():
        source = _parquet(found, ", filename = true, union_by_name = true, hive_partitioning = false")
        if found and any(one.schema_version < SCHEMA_VERSION for one in manifests):
            source = _with_later_columns(database, table, source)
        database.execute(f"CREATE VIEW all_{table} AS FROM {source if found else _nothing(database, table)}")
    database.execute(_CURRENT_DOCUMENTS)
    for table in ("rejects", "deletions"):
        wanted = ", ".join(f'"{name}"' for name in view_schema(table).names)
        database.execute(f"CREATE VIEW {table} AS SELECT {wanted} FROM all_{table}")  # noqa: S608 - names of schemas
    database.register("shards", pa.Table.from_batches(shard_rows(manifests, history), row_schema("shards")))
    database.register("runs", pa.Table.from_batches([run_rows(history)]))
    _finish(database)
    make_summary_views(database)
    return [path for found in paths.values() for path in found]


# Which copy owns a mention is said as `mention_ids.owner_record` says it.
_CURRENT_DOCUMENTS = f"""
CREATE VIEW copies AS
SELECT d.doc_id, d.version, d.meta.record_number AS record_number, f.shard, f.source,
    min(d.meta.record_number) OVER (PARTITION BY f.shard, d.doc_id, d.version) AS first_record
FROM all_documents AS d JOIN shard_files AS f USING (filename);
CREATE VIEW lineage AS
SELECT c.doc_id, c.source, c.version, c.record_number, c.shard
FROM copies AS c JOIN current_records AS r USING (shard, record_number);
CREATE VIEW stored_documents AS
SELECT d.* EXCLUDE (filename)
FROM all_documents AS d JOIN shard_files AS f USING (filename)
JOIN current_records AS r ON f.shard = r.shard AND d.meta.record_number = r.record_number;
CREATE VIEW candidates AS
SELECT m.* EXCLUDE (filename), f.source
FROM all_mentions AS m JOIN shard_files AS f USING (filename)
JOIN (copies JOIN current_records USING (shard, record_number)) AS c
    ON f.shard = c.shard AND m.doc_id = c.doc_id AND m.doc_version = c.version
    AND c.record_number = CASE
        WHEN starts_with(m.mention_id, concat(m.doc_id, '@', m.doc_version, ':p')) THEN c.first_record
        ELSE regexp_extract(m.mention_id[len(m.doc_id) + 1:], '^{REPEAT_AFTER_DOC_ID}', 1)::BIGINT
    END
"""  # noqa: S608 - a pattern


def _finish(database: duckdb.DuckDBPyConnection) -> None:
    database.execute(_STORED_DOCUMENTS)
    database.execute(HEADINGS.format(schema="main"))
    database.execute(_OF_MENTIONS)


def _register_current(database: duckdb.DuckDBPyConnection, store: Store) -> None:
    schema = pa.schema([("shard", pa.string()), ("record_number", pa.int64())])
    batches = []
    for shard in current_shards(store):
        numbers = sorted(shard.record_numbers)
        columns = [pa.array([shard.manifest.shard_id] * len(numbers), pa.string()), pa.array(numbers, pa.int64())]
        batches.append(pa.RecordBatch.from_arrays(columns, schema=schema))
    database.register("current_records", pa.Table.from_batches(batches, schema))


def _view_name(table: str) -> str:
    return {"documents": "stored_documents", "mentions": "candidates"}.get(table, table)


def _paths(store: Store, manifests: Sequence[Manifest], table: str | None) -> list[StorePath]:
    return [store.file(file.path) for one in manifests for file in one.files if table in (None, file.table)]


def _nothing(database: duckdb.DuckDBPyConnection, table: str) -> str:
    """The name of a table without rows."""
    schema = view_schema(table)
    empty = schema.append(pa.field("filename", pa.string())).empty_table()
    database.register(f"no_{table}", empty)
    return f"no_{table}"


def _parquet(paths: Sequence[StorePath], options: str) -> str:
    names = ", ".join(quoted_path(path) for path in paths)
    return f"read_parquet([{names}]{options})"
