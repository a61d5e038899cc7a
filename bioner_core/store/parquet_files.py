"""Parquet files of a store opened to be read, wherever it is: of an object only what is wanted is asked for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bioner_core.store.objects.object_path import ObjectPath
from bioner_core.store.objects.ranged_file import RangedFile
from bioner_core.store.paths import StorePath


def open_parquet(path: StorePath, *, verified: bool = True) -> pq.ParquetFile:
    """A file; `verified` makes its readers check the checksum of each page.

    Raises:
        OSError, ValueError: it is not there, or is damaged.
    """
    # Column chunks of an object are asked for together, and beforehand: each request waits as long as a megabyte takes.
    return pq.ParquetFile(_source(path), pre_buffer=isinstance(path, ObjectPath), page_checksum_verification=verified)


def read_parquet(
    path: StorePath,
    *,
    columns: Sequence[str] | None = None,
    filters: Any = None,
    verified: bool = True,
) -> pa.Table:
    """The rows of a file for which `filters` hold; row groups without one are not read.

    Raises:
        OSError, ValueError: as `open_parquet`.
    """
    return pq.read_table(
        _source(path),
        columns=None if columns is None else list(columns),
        filters=filters,
        partitioning=None,
        page_checksum_verification=verified,
    )


def _source(path: StorePath) -> Path | RangedFile:
    return path.ranged() if isinstance(path, ObjectPath) else path
