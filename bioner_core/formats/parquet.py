"""Parquet: one document per row, of bioner's own table or of simple columns."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from bioner_core.documents import Document
from bioner_core.formats.arrow_weight import weight_of
from bioner_core.formats.contract import (
    MAX_RECORD_BYTES,
    ByteSource,
    FileFault,
    Origin,
    PendingRecord,
    Reader,
    RecordFault,
    copy_whole,
)
from bioner_core.formats.document_fields import KNOWN_FIELDS, document_of_fields
from bioner_core.records import RejectReason

MAX_PARQUET_BYTES = 4 * 1024**3
"""The most bytes that a Parquet file may have; it waits in a temporary file, since its index is at its end."""

MAX_UNPACKED_BYTES = 16 * 1024**3
"""The most bytes that the row groups of a file may say they unpack to, all together."""

MAX_COLUMN_BYTES = 1024**3
"""The most bytes that one column of one row group may unpack to, of those that are read."""

MAX_COLUMN_VALUES = 64 * 1024 * 1024
"""The most values, elements of lists counted one by one, of such a column; nothing but nulls takes no bytes at all."""

_MOST_WRITTEN_OUT = 256 * 1024 * 1024
"""What the values of a batch may take when all are written out; a dictionary that could give more stays one."""
_MAGIC = b"PAR1"
_BATCH_ROWS = 64
_IN_MEMORY_BYTES = 8 * 1024 * 1024


class ParquetReader(Reader):
    """One row per record; `document_fields` says which columns count, the others are not read."""

    name = "parquet"
    source = "parquet"

    def recognises(self, head: bytes) -> bool:
        """Whether the file begins with Parquet's magic number."""
        return head.startswith(_MAGIC)

    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        """Walk the rows in file order, a bounded number at a time.

        Raises:
            FileFault: the file is no Parquet, damaged, too large, or holds none of the columns that are read.
        """
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as spool:
            copy_whole(stream, spool, most=MAX_PARQUET_BYTES)
            try:
                yield from _pending(spool)
            except (pa.ArrowException, OSError, ValueError) as error:
                raise FileFault(RejectReason.MALFORMED, f"Parquet is damaged: {_first_line(error)}") from None


def _pending(spool: IO[bytes]) -> Iterator[PendingRecord]:
    for batch in _batches(spool):
        if weight_of(batch) <= MAX_RECORD_BYTES:
            yield from (partial(_document, row) for row in batch.to_pylist())
            continue
        for number in range(batch.num_rows):  # rows that are together too many, or one that is too large by itself
            row = batch.slice(number, 1)
            if weight_of(row) > 2 * MAX_RECORD_BYTES:
                yield _too_large
            else:
                yield partial(_document, row.to_pylist()[0])


def _batches(spool: IO[bytes]) -> Iterator[pa.RecordBatch]:
    """The rows, some at a time; large dictionaries stay what they are, whatever number of rows points to them."""
    with pq.ParquetFile(spool) as parquet:
        groups = [parquet.metadata.row_group(index) for index in range(parquet.num_row_groups)]
        if sum(group.total_byte_size for group in groups) > MAX_UNPACKED_BYTES:
            raise FileFault(RejectReason.TOO_LARGE, f"the rows unpack to more than {MAX_UNPACKED_BYTES} bytes")
        columns = [name for name in parquet.schema_arrow.names if name in KNOWN_FIELDS]
        if not columns:
            known = ", ".join(sorted(KNOWN_FIELDS))
            raise FileFault(RejectReason.MALFORMED, f"none of its columns is one of: {known}")
        chunks = [chunk for group in groups for chunk in _read_chunks(group, columns, schema=parquet.schema)]
        for chunk in chunks:
            _check_chunk(chunk)
    large = {chunk.name for chunk in chunks if chunk.has_large_dictionary}
    rows = min((chunk.rows_at_once for chunk in chunks), default=_BATCH_ROWS)
    spool.seek(0)
    with pq.ParquetFile(spool, read_dictionary=sorted(large)) as parquet:
        for group in range(parquet.num_row_groups):  # a batch of rows of several would hold a column of each
            yield from parquet.iter_batches(rows, row_groups=[group], columns=columns)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """What a file says of one column of one row group: `size` bytes once its pages are unpacked.

    Not all of these stand for themselves: a dictionary has a value once, and so do values that are written as what they
    add to the value before (`DELTA_BYTE_ARRAY`). `width` is that of values that all take as many bytes, else 0.
    """

    name: str
    size: int
    values: int
    width: int
    is_repeated: bool
    has_dictionary: bool
    has_shared_beginnings: bool

    @property
    def most_at_once(self) -> int:
        """The most bytes that the values of `_BATCH_ROWS` rows take, if each of them were all that the column has."""
        return self.size * (self.values if self.is_repeated else min(self.values, _BATCH_ROWS))

    @property
    def has_large_dictionary(self) -> bool:
        return self.has_dictionary and not self.width and self.most_at_once > _MOST_WRITTEN_OUT

    @property
    def rows_at_once(self) -> int:
        """So many that what they share cannot take more than a column may."""
        shares = self.has_shared_beginnings and not self.is_repeated
        return max(1, min(_BATCH_ROWS, MAX_COLUMN_BYTES // max(self.size, 1))) if shares else _BATCH_ROWS


def _read_chunks(group: pq.RowGroupMetaData, columns: Sequence[str], *, schema: pq.ParquetSchema) -> Iterator[_Chunk]:
    for number in range(group.num_columns):
        chunk, column = group.column(number), schema.column(number)
        if chunk.path_in_schema.partition(".")[0] in columns:
            yield _Chunk(
                name=chunk.path_in_schema,
                size=chunk.total_uncompressed_size,
                values=chunk.num_values,
                width=column.length if chunk.physical_type == "FIXED_LEN_BYTE_ARRAY" else 0,
                is_repeated=column.max_repetition_level > 0,
                has_dictionary=bool(chunk.has_dictionary_page),
                has_shared_beginnings="DELTA_BYTE_ARRAY" in chunk.encodings,
            )


def _check_chunk(chunk: _Chunk) -> None:
    """Refuse a column that takes too much, or, where nobody can tell beforehand how much it takes, that may do so."""
    if max(chunk.size, chunk.width * chunk.values) > MAX_COLUMN_BYTES or chunk.values > MAX_COLUMN_VALUES:
        raise FileFault(
            RejectReason.TOO_LARGE,
            f"column {chunk.name!a} of a row group unpacks to more than {MAX_COLUMN_BYTES} bytes or "
            f"{MAX_COLUMN_VALUES} values; write smaller row groups",
        )
    if chunk.has_shared_beginnings and chunk.is_repeated and chunk.most_at_once > MAX_COLUMN_BYTES:
        raise FileFault(
            RejectReason.TOO_LARGE,
            f"the lists of column {chunk.name!a} may unpack to more than {MAX_COLUMN_BYTES} bytes in one row group; "
            "write them in another encoding than DELTA_BYTE_ARRAY",
        )


def _too_large(origin: Origin) -> Document:
    raise RecordFault(RejectReason.TOO_LARGE, f"the row takes more than {MAX_RECORD_BYTES} characters")


def _document(row: dict[str, Any], origin: Origin) -> Document:
    if sum(len(value) for value in row.values() if isinstance(value, str)) > MAX_RECORD_BYTES:
        raise RecordFault(RejectReason.TOO_LARGE, f"the row takes more than {MAX_RECORD_BYTES} characters")
    return document_of_fields(row, origin)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
