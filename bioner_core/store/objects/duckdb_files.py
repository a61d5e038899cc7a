"""Objects of a store as DuckDB reads them: by ranges, through this process, without an extension of its own.

A view names an object by its URL. DuckDB asks this file system for it, which holds no credentials and reads nothing but
objects; which of them may be read is for DuckDB's `allowed_paths` to say. Objects that views name never change, so what
was read of their ends is kept as long as the connection.
"""

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from bioner_core.formats.bucket_urls import STORE_SCHEMES
from bioner_core.store.objects.object_path import ObjectPath
from bioner_core.store.objects.ranged_file import RangedFile


def let_read_objects(database: duckdb.DuckDBPyConnection, place: Path | ObjectPath) -> None:
    """Let a connection read files of object storage, if that is where `place` is; others it can read already."""
    if isinstance(place, ObjectPath):
        database.register_filesystem(_object_files())
        database.execute("SET parquet_metadata_cache = true")  # a file's end is understood once, not at every scan


def _object_files() -> Any:
    from fsspec.spec import AbstractFileSystem  # none of the many who read stores in folders needs it

    class ObjectFiles(AbstractFileSystem):  # type: ignore[misc]
        """What DuckDB asks of a file system, and no more."""

        protocol = STORE_SCHEMES
        cachable = False

        def __init__(self) -> None:
            super().__init__()
            self._ends: dict[str, tuple[bytes, int]] = {}
            self._lock = threading.Lock()

        def open(self, path: str, mode: str = "rb", **_: Any) -> RangedFile:
            if mode != "rb":
                raise PermissionError("queries only read")
            place = ObjectPath.of(path)
            file = RangedFile(place.bucket, place.key, end=self._ends.get(path))
            with self._lock:
                self._ends[path] = file.end
            return file

        def info(self, path: str, **_: Any) -> dict[str, Any]:
            with self.open(path) as file:
                return {"name": path, "size": file.end[1], "type": "file"}

        def glob(self, path: str, **_: Any) -> list[str]:
            return [path]  # views name files, never patterns

        def exists(self, path: str, **_: Any) -> bool:
            try:
                self.info(path)
            except FileNotFoundError:
                return False
            return True

        def modified(self, path: str) -> datetime:
            return datetime.fromtimestamp(0, UTC)

    return ObjectFiles()
