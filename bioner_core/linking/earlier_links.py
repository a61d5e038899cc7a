"""What an earlier run of the same linker still says: documents that are as they were need not be linked again."""

from collections.abc import Iterable, Iterator, Sequence

import duckdb
import pyarrow as pa

from bioner_core.errors import StoreError
from bioner_core.linking.link_table import (
    LINKED,
    SCHEMAS_OF_LINKS,
    LinkPage,
    LinkWriter,
    changed_link_files,
    current_links,
    links_database,
)
from bioner_core.store.layout import Store
from bioner_core.store.newest import DocumentOrigin
from bioner_core.store.parquet_files import open_parquet
from bioner_core.store.paths import StorePath

_BATCH_ROWS = 10_000
_ORIGINS = pa.schema([("doc_id", pa.string()), ("origin", pa.string())])
_CHANGED = """
SELECT doc_id FROM origins ANTI JOIN read_parquet($linked, hive_partitioning = false) AS e USING (doc_id, origin)
"""


class LinksOutOfStepError(StoreError):
    """The rows of an earlier run are damaged, or do not stand in the order of the documents: all is linked anew."""


def usable_page(store: Store, fingerprint: str) -> LinkPage | None:
    """The current links, if a run of this linker made them and said which documents it saw; else None.

    Their rows are copied into the next run's files, so damaged ones are none: all is linked anew.
    """
    try:
        page = current_links(store)
    except StoreError:
        return None
    if page is None or page.fingerprint != fingerprint or not page.path(store, LINKED).is_file():
        return None
    return None if any(changed_link_files(store, page, tables=(LINKED, *SCHEMAS_OF_LINKS))) else page


def changed_documents(store: Store, page: LinkPage, *, origins: Iterable[DocumentOrigin]) -> frozenset[str]:
    """The ids of documents that the earlier run did not see, or saw otherwise. On disk where they are many.

    Raises:
        LinksOutOfStepError: the list of what was seen is damaged.
        StoreError: the store is damaged.
    """
    batches = pa.RecordBatchReader.from_batches(_ORIGINS, _batches(origins))
    with links_database(store) as database:
        database.register("origins", batches)
        try:
            rows = database.execute(_CHANGED, {"linked": str(page.path(store, LINKED))}).fetchall()
        except duckdb.Error as error:
            raise LinksOutOfStepError(str(error)) from error
    return frozenset(doc_id for (doc_id,) in rows)


def _batches(origins: Iterable[DocumentOrigin]) -> Iterator[pa.RecordBatch]:
    held: list[tuple[str, str]] = []
    for one in origins:
        held.append((one.doc_id, one.key))
        if len(held) == _BATCH_ROWS:
            yield _batch(held)
            held = []
    yield _batch(held)


def _batch(rows: list[tuple[str, str]]) -> pa.RecordBatch:
    columns = [pa.array([row[at] for row in rows], pa.string()) for at in range(2)]
    return pa.RecordBatch.from_arrays(columns, schema=_ORIGINS)


class EarlierLinks:
    """The rows of an earlier run, read once from front to back."""

    def __init__(self, store: Store, page: LinkPage) -> None:
        self._seen = _records(page.path(store, LINKED))
        self._rows = {table: RowsInOrder(page.path(store, table)) for table in SCHEMAS_OF_LINKS}

    def copy(self, origin: DocumentOrigin, writer: LinkWriter) -> None:
        """Copy the rows of a document that is as it was; those before them, which are of documents gone, are passed.

        Raises:
            LinksOutOfStepError: there are no such rows.
        """
        try:
            for doc_id, key, *counts in self._seen:
                wanted = (doc_id, key) == (origin.doc_id, origin.key)
                for (table, rows), count in zip(self._rows.items(), counts, strict=True):
                    taken = rows.take(count)
                    if wanted:
                        writer.copy(table, taken)
                if wanted:
                    return
        except (OSError, ValueError) as error:
            raise LinksOutOfStepError(str(error)) from error
        raise LinksOutOfStepError(f"no rows of {origin.doc_id} where they should be")


class RowsInOrder:
    """The rows of one file, so many at a time; `columns` are those that are read, all without."""

    def __init__(self, path: StorePath, columns: Sequence[str] | None = None) -> None:
        self._batches = file_batches(path, columns)
        self._held: pa.RecordBatch | None = None

    def take(self, count: int) -> list[pa.RecordBatch]:
        """The next rows.

        Raises:
            ValueError: the file has not so many.
        """
        taken = []
        while count:
            if self._held is None or not self._held.num_rows:
                self._held = next(self._batches, None)
            if self._held is None:
                raise ValueError("a file of links ends too early")
            taken.append(self._held.slice(0, count))
            self._held = self._held.slice(taken[-1].num_rows)
            count -= taken[-1].num_rows
        return taken


def _records(path: StorePath) -> Iterator[tuple[str, str, int, int]]:
    for batch in file_batches(path):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def file_batches(path: StorePath, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """The rows of a file, some thousands at a time.

    Raises:
        OSError, ValueError: it is not there, or is damaged.
    """
    with open_parquet(path) as parquet:
        yield from parquet.iter_batches(_BATCH_ROWS, columns=columns)
