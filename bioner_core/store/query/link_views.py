"""The views `links` and `abbreviations`: the current link run of a store, or nothing where it was never linked."""

from pathlib import Path

import duckdb

from bioner_core.linking.link_table import SCHEMAS_OF_LINKS, current_links
from bioner_core.store.layout import Store
from bioner_core.store.query.parquet_source import quoted_path

LINK_VIEWS = {
    "links": "the concepts that mentions mean, `rank` 1 the likeliest; what has no concept has a row too",
    "abbreviations": "the abbreviations that documents define, with the places of both forms",
}
"""What a link run adds to what can be asked."""


def link_views(database: duckdb.DuckDBPyConnection, store: Store) -> list[Path]:
    """Make the views; returns the files that they read.

    Raises:
        StoreError: the page of the links is damaged.
        ConfigurationError: the path of the store cannot be named in a query.
    """
    page = current_links(store)
    paths = []
    for table, schema in SCHEMAS_OF_LINKS.items():
        if page is None:
            database.register(f"no_{table}", schema.empty_table())
            database.execute(f"CREATE VIEW {table} AS FROM no_{table}")
        else:
            paths.append(page.path(store, table))
            source = f"read_parquet({quoted_path(paths[-1])}, hive_partitioning = false)"
            database.execute(f"CREATE VIEW {table} AS FROM {source}")
    return paths
