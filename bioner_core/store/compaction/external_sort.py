"""Sorts more rows than fit into memory: DuckDB keeps within a limit and puts the rest on disk."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from bioner_core.errors import StoreError
from bioner_core.store.bounded_database import bounded_database
from bioner_core.store.upgrade import conform

_ORDER = "row_order"
_BATCH_ROWS = 10_000
"""Rows handed on at once: some megabytes."""


@dataclass(frozen=True, slots=True)
class SortSpace:
    """How much memory DuckDB may hold, in bytes, and an existing folder for what does not fit."""

    memory_bytes: int
    folder: Path


def sorted_batches(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, *, by: Sequence[str], space: SortSpace
) -> Iterator[pa.RecordBatch]:
    """The rows sorted by columns; rows that are equal in them keep their order. All batches have `schema`.

    Raises:
        StoreError: the disk is full, the limit is too small, or the source of the rows says so.
    """
    numbered = schema.append(pa.field(_ORDER, pa.int64(), nullable=False))
    faults: list[StoreError] = []
    unsorted_rows = pa.RecordBatchReader.from_batches(numbered, _numbered(_noted(batches, faults), numbered))
    with bounded_database(space.memory_bytes, space.folder) as database:
        database.execute("SET preserve_insertion_order = false")  # the order column keeps it, at less memory
        database.register("unsorted_rows", unsorted_rows)
        order = ", ".join(f'"{column}"' for column in (*by, _ORDER))
        question = f"SELECT * EXCLUDE ({_ORDER}) FROM unsorted_rows ORDER BY {order}"  # noqa: S608 - names of schemas
        try:
            for batch in database.sql(question).to_arrow_reader(_BATCH_ROWS):
                yield conform(batch, schema)
        except duckdb.Error as error:
            if faults:  # DuckDB tells a fault of the rows' source as one of its own, with a traceback as its text
                raise faults[0] from None
            raise StoreError(
                f"{space.folder}: the rows cannot be sorted ({error}). Free some space there, or give more memory"
            ) from error


def _noted(batches: Iterable[pa.RecordBatch], faults: list[StoreError]) -> Iterator[pa.RecordBatch]:
    """The batches; a fault of their source is also put into `faults`."""
    try:
        yield from batches
    except StoreError as error:
        faults.append(error)
        raise


def _numbered(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    first = 0
    for batch in batches:
        order = pa.array(np.arange(first, first + batch.num_rows))
        yield pa.RecordBatch.from_arrays([*batch.columns, order], schema=schema)
        first += batch.num_rows
