"""Counts that would take long to make at every question: each is one SELECT over the views, in `summaries/*.sql`.

A snapshot holds their answers as tables; where there is no snapshot they are views, and are made when they are asked.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import duckdb
import pyarrow as pa

from bioner_core.store.snapshot.snapshot_schemas import SUMMARY_TABLES, row_schema
from bioner_core.store.upgrade import conform

ARTICLES = """
    SELECT
        doc_id,
        coalesce('pubmed:' || list_filter(meta.ids, lambda one: one.kind = 'pmid')[1].value, doc_id) AS article
    FROM documents
"""
"""The article of each document: its PMID where the record gives one. Stands for `{articles}` in a summary's SELECT."""

_BATCH_ROWS = 10_000
"""Rows of a summary that are in memory at once."""


@cache
def select_of(name: str) -> str:
    """The SELECT of a summary, of a snapshot or of a link run."""
    written = files("bioner_core.store.query").joinpath("summaries", f"{name}.sql").read_text(encoding="utf-8")
    return written.replace("{articles}", ARTICLES)


def summary_rows(database: duckdb.DuckDBPyConnection, name: str) -> Iterator[pa.RecordBatch]:
    """The rows of a summary, from the views of this database, in their order."""
    for batch in database.sql(select_of(name)).to_arrow_reader(_BATCH_ROWS):
        yield conform(batch, row_schema(name))


def make_summary_views(database: duckdb.DuckDBPyConnection) -> None:
    """Make a view of each summary."""
    for name in SUMMARY_TABLES:
        database.execute(f"CREATE VIEW {name} AS {select_of(name)}")
