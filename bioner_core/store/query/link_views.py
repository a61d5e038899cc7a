"""The views of a link run: the current one of a store, or nothing where it was never linked."""

import duckdb

from bioner_core.linking.link_table import SCHEMAS_OF_LINKS, SUMMARIES_OF_LINKS, LinkPage, current_links
from bioner_core.store.layout import Store
from bioner_core.store.paths import StorePath
from bioner_core.store.query.compared_files import compare_link_files
from bioner_core.store.query.parquet_source import quoted_path
from bioner_core.store.query.summaries import select_of

LINK_VIEWS = {
    "links": "the concepts that mentions mean, `rank` 1 the likeliest; what has no concept has a row too",
    "abbreviations": "the abbreviations that documents define, with the places of both forms",
    "linked_mentions": "accepted mentions with their likeliest concept; those without one are left out",
    "concepts": "the concepts that accepted mentions mean, and how often",
    "concept_names": "the texts of these mentions in lower case, by concept and language",
    "concept_years": "the documents of a concept by year",
    "concept_documents": "the documents that have a concept, with the place of its surest mention",
    "concept_neighbours": "concepts in the same sentence, none inside the other, seen from each of the two",
}
"""What a link run adds to what can be asked."""

LINKED_MENTIONS = """
SELECT l.concept_id, l.name, l.vocabulary, m.doc_id, m.passage_index, m.sentence_index, m.start, m."end", m.text,
    m.type, m.lang, m.selector_score
FROM mentions AS m JOIN links AS l USING (mention_id)
WHERE l.rank = 1 AND l.concept_id IS NOT NULL
"""
"""What the counts by concept are made of."""


def link_views(database: duckdb.DuckDBPyConnection, store: Store, *, snapshot_id: str = "") -> list[StorePath]:
    """Make the views; returns the files that they read.

    Counts by concept are read from files where the links are of this snapshot and they were made, else made when they
    are asked.

    Raises:
        StoreError: the page of the links is damaged, or a small file of them.
        ConfigurationError: the path of the store cannot be named in a query.
    """
    page = current_links(store)
    ready = page is not None and page.made_from == f"snapshot:{snapshot_id}" and has_summaries(store, page)
    if page is not None:
        compare_link_files(store, page, tables=[*SCHEMAS_OF_LINKS, *(SUMMARIES_OF_LINKS if ready else ())])
    paths = []
    for table, schema in SCHEMAS_OF_LINKS.items():
        if page is None:
            database.register(f"no_{table}", schema.empty_table())
            database.execute(f"CREATE VIEW {table} AS FROM no_{table}")
        else:
            paths.append(page.path(store, table))
            _file_view(database, table, paths[-1])
    database.execute(f"CREATE VIEW linked_mentions AS {LINKED_MENTIONS}")
    for table in SUMMARIES_OF_LINKS:
        if page is not None and ready:
            paths.append(page.path(store, table))
            _file_view(database, table, paths[-1])
        else:
            database.execute(f"CREATE VIEW {table} AS {select_of(table)}")
    return paths


def has_summaries(store: Store, page: LinkPage) -> bool:
    """Whether the counts by concept of these links were made."""
    return all(page.path(store, table).is_file() for table in SUMMARIES_OF_LINKS)


def _file_view(database: duckdb.DuckDBPyConnection, table: str, path: StorePath) -> None:
    source = f"read_parquet({quoted_path(path)}, hive_partitioning = false)"
    database.execute(f"CREATE VIEW {table} AS FROM {source}")
