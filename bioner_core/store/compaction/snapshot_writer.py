"""Writes the sorted rows of one table and source as few large Parquet files, cut between documents."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bioner_core.errors import StoreError
from bioner_core.file_digest import sha256_of_file
from bioner_core.store.atomic import fsync_path, make_folder
from bioner_core.store.schemas import ROW_GROUP_ROWS
from bioner_core.store.snapshot.snapshot_manifest import SnapshotFile
from bioner_core.store.snapshot.snapshot_schemas import FLAT_TABLES, PARTITION_COLUMN, sort_columns
from bioner_core.store.upgrade import in_schema

_GROUP_ROWS = ROW_GROUP_ROWS | dict.fromkeys(("lineage", *FLAT_TABLES), 20_000)
_KEY = "doc_id"
_LONG_TEXTS = frozenset({"passages.list.element.text"})
"""Columns without statistics: the least and the greatest abstract help no filter, and would be most of a footer."""


@dataclass(frozen=True, slots=True)
class TablePlace:
    """Where the rows of one table and source go: below `folder`, the folder of the snapshot. Flat ones have no source.

    A file ends after the first row group that makes it `file_bytes` long, and at the end of a document.
    """

    folder: Path
    table: str
    source: str
    schema: pa.Schema
    file_bytes: int


def write_table_files(batches: Iterable[pa.RecordBatch], place: TablePlace) -> list[SnapshotFile]:
    """Write rows that come sorted; no rows make no file. Holds one row group in memory.

    Raises:
        StoreError: the disk is full, or the store cannot be written.
    """
    folder = place.folder / place.table
    if place.table not in FLAT_TABLES:
        folder /= f"{PARTITION_COLUMN}={quote(place.source, safe='')}"
    rows = (in_schema(batch, place.schema) for batch in batches)
    files: list[SnapshotFile] = []
    current: _OpenFile | None = None
    try:
        for group in _row_groups(rows, place.schema, _GROUP_ROWS[place.table]):
            if current is not None and current.size >= place.file_bytes:
                head = _rows_of_document(group, current.last)
                current.add(group.slice(0, head))
                group = group.slice(head)
                if not group.num_rows:
                    continue
                files.append(current.finish())
                current = None
            if current is None:
                make_folder(folder)
                current = _OpenFile(folder / f"part-{len(files):05d}.parquet", place)
            current.add(group)
        return files + ([current.finish()] if current is not None else [])
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written ({error}). Free some space and run the same command") from error


class _OpenFile:
    """A file at work."""

    def __init__(self, path: Path, place: TablePlace) -> None:
        self._path = path
        self._place = place
        self._sink = pa.OSFile(str(path), "wb")
        sorting = [pq.SortingColumn(place.schema.get_field_index(one)) for one in _sorting(place)]
        self._writer = pq.ParquetWriter(
            self._sink,
            place.schema,
            compression="zstd",
            write_statistics=[path for path in _leaves(place.schema) if path not in _LONG_TEXTS],
            write_page_index=True,
            write_page_checksum=True,
            sorting_columns=sorting or None,
        )
        self._rows = 0
        self._first = ""
        self.last = ""

    @property
    def size(self) -> int:
        """Bytes so far."""
        return int(self._sink.tell())

    def add(self, group: pa.Table) -> None:
        """Write one row group."""
        if not group.num_rows:
            return
        self._writer.write_table(group, row_group_size=group.num_rows)
        if _KEY in group.schema.names:
            column = group.column(_KEY)
            self._first = self._first if self._rows else column[0].as_py()
            self.last = column[-1].as_py()
        self._rows += group.num_rows

    def finish(self) -> SnapshotFile:
        """Close the file, wait until it is on disk, and describe it."""
        self._writer.close()
        self._sink.close()
        fsync_path(self._path)
        fsync_path(self._path.parent)
        return SnapshotFile(
            table=self._place.table,
            source=self._place.source,
            path=self._path.relative_to(self._place.folder).as_posix(),
            rows=self._rows,
            bytes=self._path.stat().st_size,
            sha256=sha256_of_file(self._path),
            first_doc_id=self._first,
            last_doc_id=self.last,
        )


def _sorting(place: TablePlace) -> tuple[str, ...]:
    return () if place.table in FLAT_TABLES else sort_columns(place.table)


def _leaves(schema: pa.Schema) -> Iterator[str]:
    """The paths of the columns of a file, as Parquet writes them."""
    for field in schema:
        yield from _leaves_below(field.name, field.type)


def _leaves_below(path: str, kind: pa.DataType) -> Iterator[str]:
    if pa.types.is_list(kind):
        yield from _leaves_below(f"{path}.list.element", kind.value_type)
    elif pa.types.is_struct(kind):
        for number in range(kind.num_fields):
            yield from _leaves_below(f"{path}.{kind.field(number).name}", kind.field(number).type)
    else:
        yield path


def _row_groups(batches: Iterable[pa.RecordBatch], schema: pa.Schema, rows: int) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        while count >= rows:
            table = pa.Table.from_batches(waiting, schema)
            yield table.slice(0, rows)
            waiting = table.slice(rows).to_batches()
            count -= rows
    if count:
        yield pa.Table.from_batches(waiting, schema)


def _rows_of_document(group: pa.Table, doc_id: str) -> int:
    """How many rows at the head of a group belong to a document."""
    if _KEY not in group.schema.names:
        return 0
    others = pc.not_equal(group.column(_KEY), doc_id).to_numpy()
    return int(np.argmax(others)) if others.any() else group.num_rows
