"""Counts by concept as files beside the links, so that pages and questions about a concept read its rows alone."""

from collections.abc import Callable, Iterable

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from bioner_core.errors import StoreError
from bioner_core.linking.link_table import (
    SCHEMAS_OF_LINKS,
    SUMMARIES_OF_LINKS,
    compare_links,
    current_links,
    note_summaries,
)
from bioner_core.store.atomic import replacing
from bioner_core.store.bounded_database import bounded_database
from bioner_core.store.layout import Store
from bioner_core.store.left_behind import scratch_in
from bioner_core.store.newest import newest_of
from bioner_core.store.objects.duckdb_files import let_read_objects
from bioner_core.store.paths import StorePath, scratch_beside
from bioner_core.store.query.link_views import LINKED_MENTIONS, has_summaries, link_views
from bioner_core.store.query.query_views import snapshot_views
from bioner_core.store.query.summaries import select_of
from bioner_core.store.schemas import file_metadata
from bioner_core.store.snapshot.snapshot_reading import open_snapshot
from bioner_core.store.upgrade import conform

DEFAULT_MEMORY_BYTES = 1024**3
"""Memory of the sorts; what does not fit goes to disk."""

_GROUP_ROWS = 20_000
"""Rows of a row group: what one concept's rows cost to read."""


def make_link_summaries(store: Store, *, check: Callable[[], None], memory_bytes: int = DEFAULT_MEMORY_BYTES) -> bool:
    """Make the counts of the current links unless they are there; whoever calls it holds the store's lock.

    `check` makes sure of that; it is called right before the page of the links is written, and what it raises is passed
    on. Returns whether there are any counts now: links of a store without a snapshot, or of another snapshot than the
    current one, get none, and the views count when they are asked.

    Raises:
        StoreError: the store is damaged, or the disk is full; the links stay as they are.
    """
    page, snapshot = current_links(store), open_snapshot(store)
    if page is None or snapshot is None or page.made_from != f"snapshot:{snapshot.manifest.snapshot_id}":
        return False
    # A page that lacks their digests is from before these were kept, or of a run that was killed: nothing vouches for
    # the files then.
    if has_summaries(store, page) and page.digests.keys() >= SUMMARIES_OF_LINKS.keys():
        return True
    snapshot.compare("documents", "mentions")
    compare_links(store, page, tables=SCHEMAS_OF_LINKS)
    # On the store's disk: the system's temporary folder may be small, or in memory.
    with (
        scratch_in(scratch_beside(store.links), prefix=".counting-", elsewhere="links") as scratch,
        bounded_database(memory_bytes, scratch) as database,
    ):
        try:
            let_read_objects(database, store.root)
            snapshot_views(database, snapshot.paths_by_table(), schema_version=snapshot.manifest.schema_version)
            link_views(database, store, newest=newest_of(store, snapshot), counted=False)
            database.execute("DROP VIEW linked_mentions")
            database.execute(f"CREATE TABLE linked_mentions AS {LINKED_MENTIONS}")  # joined once for all counts
            for table in SUMMARIES_OF_LINKS:
                reader = database.sql(select_of(table)).to_arrow_reader(_GROUP_ROWS)
                _write(page.path(store, table), table, reader, fingerprint=page.fingerprint)
            # Race: counting may last for minutes, and whoever has the lock by now may have shown other links. This
            # page would name files of ours that are gone.
            check()
            note_summaries(store, page)
        except (duckdb.Error, OSError) as error:
            raise StoreError(
                f"{store.links}: the counts by concept cannot be made ({error}). Free some space, and link again"
            ) from error
    return True


def _write(path: StorePath, table: str, batches: Iterable[pa.RecordBatch], *, fingerprint: str) -> None:
    schema = SUMMARIES_OF_LINKS[table].with_metadata(file_metadata(table, fingerprint))
    with (
        replacing(path) as unnamed,
        pq.ParquetWriter(
            unnamed, schema, compression="zstd", write_page_index=True, write_page_checksum=True
        ) as writer,
    ):
        for batch in batches:
            writer.write_batch(conform(batch, schema), row_group_size=_GROUP_ROWS)
