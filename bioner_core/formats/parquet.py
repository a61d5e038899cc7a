"""Parquet: one document a row, of bioner's own table or of simple columns."""

import tempfile
from collections.abc import Iterator
from functools import partial
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from bioner_core.documents import Document
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

_MAGIC = b"PAR1"
_BATCH_ROWS = 64
_IN_MEMORY_BYTES = 8 * 1024 * 1024


class ParquetReader(Reader):
    """One row a record; `document_fields` says which columns count, the others are not read."""

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
                for row in _rows(spool):
                    yield partial(_document, row)
            except (pa.ArrowException, OSError, ValueError) as error:
                raise FileFault(RejectReason.MALFORMED, f"Parquet is damaged: {_first_line(error)}") from None


def _rows(spool: IO[bytes]) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(spool) as parquet:
        groups = [parquet.metadata.row_group(index) for index in range(parquet.num_row_groups)]
        if sum(group.total_byte_size for group in groups) > MAX_UNPACKED_BYTES:
            raise FileFault(RejectReason.TOO_LARGE, f"the rows unpack to more than {MAX_UNPACKED_BYTES} bytes")
        columns = [name for name in parquet.schema_arrow.names if name in KNOWN_FIELDS]
        if not columns:
            known = ", ".join(sorted(KNOWN_FIELDS))
            raise FileFault(RejectReason.MALFORMED, f"none of its columns is one of: {known}")
        for batch in parquet.iter_batches(_BATCH_ROWS, columns=columns):
            yield from batch.to_pylist()


def _document(row: dict[str, Any], origin: Origin) -> Document:
    if sum(len(value) for value in row.values() if isinstance(value, str)) > MAX_RECORD_BYTES:
        raise RecordFault(RejectReason.TOO_LARGE, f"the row takes more than {MAX_RECORD_BYTES} characters")
    return document_of_fields(row, origin)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
