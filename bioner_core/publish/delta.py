"""A store's snapshot as Delta tables: one per table, on this machine or on object storage.

    TARGET/documents/  TARGET/mentions/  ...  TARGET/links/  TARGET/abbreviations/

Each published snapshot is one version of every table, so earlier ones stay readable by version or time until the table
is vacuumed. A table's commit is atomic; the tables are committed one after another, and each names its snapshot in the
commit's metadata (`bioner.snapshot`), so that a reader of several can see whether they belong together; links name the
state that they were made of too (`bioner.links_of`). A table is of one store (`bioner.store`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa

import bioner_core
from bioner_core.errors import ConfigurationError, StoreError, install_words
from bioner_core.formats.bucket_urls import TABLE_SCHEMES, refuse_credentials
from bioner_core.linking.link_table import SCHEMAS_OF_LINKS, LinkPage, compare_links, current_links
from bioner_core.store.layout import Store
from bioner_core.store.parquet_files import open_parquet
from bioner_core.store.paths import StorePath
from bioner_core.store.snapshot.snapshot_reading import Snapshot, open_snapshot
from bioner_core.store.snapshot.snapshot_schemas import (
    FLAT_TABLES,
    PARTITION_COLUMN,
    SORTED_TABLES,
    SUMMARY_TABLES,
    row_schema,
)
from bioner_core.store.upgrade import in_schema

_APPLICATION = "bioner"
"""The name under which a table's log says how far it was published: Delta's `txn` action, which no clean-up removes."""
_STORE = "bioner.store"
"""The name under which it says of which store it is, as a number."""


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """One table of a target: its rows now, its version, and whether this run wrote it or found it there."""

    table: str
    rows: int
    version: int
    was_written: bool


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What was published where."""

    target: str
    snapshot: str
    tables: tuple[PublishedTable, ...]


@dataclass(frozen=True, slots=True)
class _Source:
    """One table to be published: its rows, and its state as a name and as a number that grows with time.

    `compare` makes sure that its files have the bytes that were written; `about` is told in the commit's metadata.
    """

    table: str
    state: str
    order: int
    schema: pa.Schema
    batches: Callable[[], Iterator[pa.RecordBatch]]
    compare: Callable[[], None]
    store_id: str
    about: Mapping[str, str] = field(default_factory=dict)

    @property
    def partitions(self) -> list[str]:
        return [PARTITION_COLUMN] if PARTITION_COLUMN in self.schema.names else []


def publish_delta(
    store: Store, target: str, *, tables: Sequence[str] = (), on_table: Callable[[str], None] = lambda _: None
) -> PublishReport:
    """Write the current snapshot and the current links as Delta tables under `target`, a folder or a URL.

    What a table holds already is not written again, so a run that was killed is completed by the next one. Rows stream:
    memory does not grow with the store. Without `tables` all are published;
    `on_table` is told of each when it is done.

    Raises:
        ConfigurationError: deltalake is not installed, `target` or a table cannot be, the store has no snapshot, or
            a newer one or another store is published there.
        StoreError: the store is damaged, or the target cannot be written.
    """
    if find_spec("deltalake") is None:
        raise ConfigurationError(f"`bioner publish` needs deltalake: {install_words('publish')}")
    check_target(store, target)
    snapshot = open_snapshot(store)
    if snapshot is None:
        raise ConfigurationError(f"{store} has no snapshot to publish; `bioner compact --store {store}` makes one")
    sources = {one.table: one for one in _sources(store, snapshot)}
    if strange := sorted(set(tables) - sources.keys()):
        raise ConfigurationError(f"--table: {strange[0]!r} is not one of {', '.join(sources)}")
    done = []
    for name in tables or sources:
        done.append(_published(sources[name], f"{target.rstrip('/')}/{name}"))
        on_table(name)
    return PublishReport(target, snapshot.manifest.snapshot_id, tuple(done))


def check_target(store: Store, target: str) -> None:
    """Refuse what cannot be a target.

    Raises:
        ConfigurationError: a scheme that is not supported, credentials in the URL, or a folder inside the store.
    """
    scheme, mark, _ = target.partition("://")
    if mark:
        if scheme.lower() not in TABLE_SCHEMES:
            known = ", ".join(TABLE_SCHEMES)
            raise ConfigurationError(f"--delta: {scheme}:// is not one of {known}; or name a folder")
        refuse_credentials(target)
    if _is_inside(store, target):
        raise ConfigurationError(f"--delta: {target} is inside the store; name a folder beside it")


def _is_inside(store: Store, target: str) -> bool:
    if not isinstance(store.root, Path):
        return f"{target.rstrip('/')}/".startswith(f"{store.root}/")
    return "://" not in target and Path(target).resolve().is_relative_to(store.root.resolve())


def _sources(store: Store, snapshot: Snapshot) -> Iterator[_Source]:
    state = snapshot.manifest.snapshot_id
    order = _microseconds(datetime.strptime(state.split("-")[0], "%Y%m%dT%H%M%S_%fZ").replace(tzinfo=UTC))
    store_id = snapshot.manifest.store_id
    # A count that has no rows any more must be published too: the target has those of an earlier snapshot. A snapshot
    # from before counts were kept has none of them whatever it holds.
    has_counts = any(snapshot.paths(table) for table in SUMMARY_TABLES) or not snapshot.manifest.mentions
    for table in (*SORTED_TABLES, *FLAT_TABLES):
        paths, schema = snapshot.paths(table), _plain(row_schema(table))
        batches = partial(snapshot.batches, table) if table in SORTED_TABLES else partial(_file_batches, paths)
        if has_counts or table not in SUMMARY_TABLES:
            yield _Source(table, state, order, schema, batches, partial(snapshot.compare, table), store_id)
    page = current_links(store)
    if page is not None:
        for table, schema in SCHEMAS_OF_LINKS.items():
            yield _links(store, page, table, schema, store_id=store_id)


def _links(store: Store, page: LinkPage, table: str, schema: pa.Schema, *, store_id: str) -> _Source:
    order = _microseconds(datetime.fromisoformat(page.created))
    batches = partial(_file_batches, [page.path(store, table)])
    compare = partial(compare_links, store, page, tables=[table])
    about = {"bioner.links_of": page.made_from}
    return _Source(table, f"links-{page.run}", order, _plain(schema), batches, compare, store_id, about)


def _file_batches(paths: Sequence[StorePath]) -> Iterator[pa.RecordBatch]:
    for path in paths:
        try:
            with open_parquet(path) as parquet:
                yield from parquet.iter_batches()
        except (OSError, ValueError) as error:
            raise StoreError(f"{path}: cannot be read ({error}). `bioner verify` says what to do") from error


def _published(source: _Source, target: str) -> PublishedTable:
    import deltalake
    from deltalake.exceptions import DeltaError, TableNotFoundError

    try:
        try:
            there = deltalake.DeltaTable(target)
        except TableNotFoundError:
            there = None
        last, holder = (there.transaction_version(one) if there is not None else None for one in (_APPLICATION, _STORE))
        if source.store_id and holder not in (None, _store_number(source.store_id)):
            raise ConfigurationError(
                f"{target} holds the tables of another store; name another target, or remove what is there"
            )
        if there is not None and last is not None and last > source.order:
            raise ConfigurationError(
                f"{target} holds a newer state than {source.state}: a later snapshot was published "
                "there. Name another target"
            )
        if there is not None and last == source.order:
            return PublishedTable(source.table, there.count(), there.version(), was_written=False)
        _write(source, target)
        done = deltalake.DeltaTable(target)
        return PublishedTable(source.table, done.count(), done.version(), was_written=True)
    except (DeltaError, OSError) as error:
        raise StoreError(f"{target}: the table cannot be written ({error}). Run the command again") from error


def _write(source: _Source, target: str) -> None:
    from deltalake import CommitProperties, Transaction, WriterProperties, write_deltalake

    source.compare()
    # The commit's own record of the state is what makes a second run do nothing, and a second publisher at the same
    # moment fail: Delta refuses a commit whose application has committed since.
    about = {"bioner.snapshot": source.state, "bioner.version": bioner_core.__version__, **source.about}
    transactions = [Transaction(_APPLICATION, source.order)]
    if source.store_id:
        about[_STORE] = source.store_id
        transactions.append(Transaction(_STORE, _store_number(source.store_id)))
    rows = pa.RecordBatchReader.from_batches(source.schema, (in_schema(one, source.schema) for one in source.batches()))
    write_deltalake(
        target,
        rows,
        mode="overwrite",
        # A later version of bioner has more columns: from here on the table has them, its earlier versions do not.
        schema_mode="overwrite",
        partition_by=source.partitions or None,
        writer_properties=WriterProperties(compression="ZSTD"),
        commit_properties=CommitProperties(custom_metadata=about, app_transactions=transactions),
    )


def _store_number(store_id: str) -> int:
    """The id as a number of 60 bits: a `txn` action has no room for words."""
    return int(store_id[:15], 16)


def _plain(schema: pa.Schema) -> pa.Schema:
    """The schema without what is said of files; a column's meaning becomes Delta's `comment`."""
    return pa.schema([field.with_metadata(_comment(field)) for field in schema])


def _comment(field: pa.Field) -> dict[str, Any]:
    meaning = (field.metadata or {}).get(b"meaning", b"")
    return {"comment": bytes(meaning).decode()} if meaning else {}


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)
