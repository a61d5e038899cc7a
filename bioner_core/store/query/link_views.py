"""The views of a link run: the current one of a store, or nothing where it was never linked."""

import duckdb
import pyarrow as pa

from bioner_core.linking.link_table import LINKED, SCHEMAS_OF_LINKS, SUMMARIES_OF_LINKS, LinkPage, current_links
from bioner_core.store.layout import Store
from bioner_core.store.newest import NewestState, shard_keys
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


_LINKED_AS_THEY_ARE = """
CREATE VIEW linked_as_they_are AS
SELECT e.doc_id FROM {linked} AS e
JOIN main.lineage AS l USING (doc_id) JOIN keys_of_shards AS k USING (shard)
WHERE e.origin = concat(l.version, '.', l.record_number, '.', k.key)
"""
"""Documents that were linked in the state in which they are shown, as `DocumentOrigin` has it."""


def link_views(
    database: duckdb.DuckDBPyConnection, store: Store, *, newest: NewestState, counted: bool = True
) -> list[StorePath]:
    """Make the views over those of `newest`; returns the files that they read.

    Of links of another state, those of documents that were other ones then are left out: a record that is corrected
    under its old version has mentions of the same ids. Counts by concept are read from files where the links are of
    this snapshot and they were made, else made when they are asked; so they are unless they are to be `counted`.

    Raises:
        StoreError: the page of the links is damaged, or a small file of them.
        ConfigurationError: the path of the store cannot be named in a query.
    """
    page = current_links(store)
    # Committed shards have one origin, whatever is committed: links of them are compared document by document.
    is_fitting = page is not None and page.made_from == newest.origin and newest.origin.startswith("snapshot:")
    ready = page is not None and is_fitting and counted and has_summaries(store, page)
    paths = []
    if page is not None:
        tables = [*SCHEMAS_OF_LINKS, *(SUMMARIES_OF_LINKS if ready else ()), *(() if is_fitting else (LINKED,))]
        compare_link_files(store, page, tables=tables)
        if not is_fitting and page.path(store, LINKED).is_file():
            paths.append(page.path(store, LINKED))
            _find_linked_as_they_are(database, paths[-1], newest)
    for table, schema in SCHEMAS_OF_LINKS.items():
        if page is None or not (is_fitting or paths):
            database.register(f"no_{table}", schema.empty_table())
            database.execute(f"CREATE VIEW {table} AS FROM no_{table}")
        else:
            only = "" if is_fitting else " SEMI JOIN linked_as_they_are USING (doc_id)"
            paths.append(page.path(store, table))
            database.execute(f"CREATE VIEW {table} AS FROM {_rows_of(paths[-1])}{only}")
    database.execute(f"CREATE VIEW linked_mentions AS {LINKED_MENTIONS}")
    for table in SUMMARIES_OF_LINKS:
        if page is not None and ready:
            paths.append(page.path(store, table))
            database.execute(f"CREATE VIEW {table} AS FROM {_rows_of(paths[-1])}")
        else:
            database.execute(f"CREATE VIEW {table} AS {select_of(table)}")
    return paths


def has_summaries(store: Store, page: LinkPage) -> bool:
    """Whether the counts by concept of these links were made."""
    return all(page.path(store, table).is_file() for table in SUMMARIES_OF_LINKS)


def _find_linked_as_they_are(database: duckdb.DuckDBPyConnection, linked: StorePath, newest: NewestState) -> None:
    keys = shard_keys(newest)
    columns = {"shard": pa.array(keys.keys(), pa.string()), "key": pa.array(keys.values(), pa.string())}
    database.register("keys_of_shards", pa.table(columns))
    database.execute(_LINKED_AS_THEY_ARE.format(linked=_rows_of(linked)))


def _rows_of(path: StorePath) -> str:
    return f"read_parquet({quoted_path(path)}, hive_partitioning = false)"
