"""A store of annotations, read: tables, documents, mentions and SQL.

Nothing here writes into it but document indexes, and those only where there is no snapshot.
"""

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from bioner_core.documents import Document
from bioner_core.errors import StoreError
from bioner_core.mentions import Mention
from bioner_core.store import layout
from bioner_core.store.history.current_rows import current_documents, current_mentions
from bioner_core.store.objects.object_path import ObjectPath
from bioner_core.store.query.query_session import query_session
from bioner_core.store.query.query_views import VIEWS
from bioner_core.store.reading import left_out_shards, shown_manifests
from bioner_core.store.snapshot.snapshot_reading import Snapshot, open_snapshot

_QUERY_MEMORY = 2_000_000_000
"""Bytes that a query may hold in memory; the rest goes to disk."""


class Store:
    """The annotations in a folder or on object storage: the newest version of each document that is not withdrawn.

    Made by `open_store`. It is read from the current snapshot; without one from the committed shards, by the same rule.
    `documents()`, `mentions(accepted_only=True)` and the SQL views `documents` and `mentions` hold the same; without
    `accepted_only` mentions are those of the view `candidates`.
    """

    def __init__(self, store: layout.Store, snapshot: Snapshot | None) -> None:
        self.path = store.root
        self._layout = store
        self._snapshot = snapshot

    @property
    def snapshot_id(self) -> str:
        """The name of the snapshot that is read; empty where there is none."""
        return self._snapshot.manifest.snapshot_id if self._snapshot else ""

    def documents(self) -> Iterator[Document]:
        """The newest version of each document, with its text; withdrawn ones are left out.

        Raises:
            StoreError: a file is damaged or gone.
        """
        return self._snapshot.documents() if self._snapshot else current_documents(self._layout)

    def mentions(self, *, accepted_only: bool = False) -> Iterator[Mention]:
        """The mentions of these documents; unless `accepted_only`, also those turned down (`accepted` is false).

        Raises:
            StoreError: a file is damaged or gone.
        """
        found = self._snapshot.mentions() if self._snapshot else current_mentions(self._layout)
        return (one for one in found if one.accepted or not accepted_only)

    def query(self, sql: str, parameters: Mapping[str, str] | None = None) -> pa.Table:
        """The answer to one SELECT, as an Arrow table.

        `.to_pylist()` needs nothing more; `.to_pandas()`, `polars.from_arrow` and DuckDB need their packages.
        `bioner.store.VIEWS` says what can be asked. The store cannot be changed, nor any other file be read.

        Raises:
            ConfigurationError: the text is not exactly one SELECT, or DuckDB refuses it.
        """
        with query_session(self._layout, memory_bytes=_QUERY_MEMORY) as session:
            return session.ask(sql, parameters).read_all()


def open_store(path: str | Path) -> Store:
    """Open a store for reading: a folder, or `s3://BUCKET/FOLDER`, with credentials from the environment.

    Damaged shards, where there is no snapshot, are told by warnings.

    Raises:
        StoreError: there is no store there, or it is damaged or of a newer version.
        ConfigurationError: the URL names no place in a bucket, or obstore is not installed.
    """
    store = layout.Store(ObjectPath.of(path) if isinstance(path, str) and "://" in path else Path(path))
    snapshot = open_snapshot(store) if store.root.is_dir() else None
    if snapshot is None and next(iter(shown_manifests(store)), None) is None:
        raise StoreError(f"{store} is no store: nothing is committed there. `bioner annotate` makes one")
    for fault in left_out_shards(store) if snapshot is None else ():
        warnings.warn(f"left out of every answer: {fault}", stacklevel=2)
    return Store(store, snapshot)


__all__ = ["VIEWS", "Store", "open_store"]
