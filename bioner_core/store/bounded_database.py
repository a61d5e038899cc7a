"""A DuckDB that keeps within a limit of memory, and puts the rest into a folder that it is given."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb


@contextmanager
def bounded_database(
    memory: int | str, folder: Path | str, *, file: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Lend a database; what does not fit into `memory` (bytes, or in DuckDB's words) goes into `folder`.

    Without a folder DuckDB makes one of its own in the working folder of whoever runs the command. `file` keeps the
    tables; without it they are in memory.

    Raises:
        duckdb.Error: the limit is too small, or the file cannot be made.
    """
    with duckdb.connect(":memory:" if file is None else str(file)) as database:
        limit = memory if isinstance(memory, str) else f"{memory}B"
        database.execute("SET memory_limit = $limit", {"limit": limit})
        database.execute("SET temp_directory = $folder", {"folder": str(folder)})
        yield database
