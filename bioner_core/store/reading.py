"""Readers of a store. They go through manifests, so a half-written shard is never seen, and they stream.

A file of a shard is read whole, and compared with the digest that its manifest has, before a row of it is given: what
is copied into another shard, an index, a snapshot or an export is what was committed. It is some megabytes long.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq

from bioner_core.errors import DamagedFileError, StoreError
from bioner_core.store.committed import changed_words, listed_sizes, torn_files
from bioner_core.store.layout import TABLES, Store
from bioner_core.store.manifest import Manifest, StoredFile, read_manifest
from bioner_core.store.names import list_names
from bioner_core.store.paths import StorePath
from bioner_core.store.schemas import check_schema_version, file_fact

_BATCH_ROWS = 2_000
"""Rows read at once: documents have their texts, so 2,000 of them are some megabytes."""
_AT_ONCE = 16
"""Manifests that are asked for at once from object storage."""
_AHEAD = 256
"""Manifests of object storage that are in memory before they are wanted."""


def read_manifests(store: Store, *, on_fault: Callable[[StoreError], None] | None = None) -> Iterator[Manifest]:
    """All committed shards, in the order of their ids. A store that does not exist yet has none.

    With `on_fault`, which is told of each manifest that cannot be read, the others are given all the same.

    Raises:
        StoreError: a manifest is damaged or of a newer schema version, and there is no `on_fault`.
    """
    shards = sorted(path.stem for path in store.manifests.glob("[!.]*.json"))
    for found in _each_manifest(store, shards):
        if isinstance(found, StoreError):
            if on_fault is None:
                raise found
            on_fault(found)
        elif found is not None:  # None: swept away since it was listed
            yield found


def _each_manifest(store: Store, shards: Sequence[str]) -> Iterator[Manifest | StoreError | None]:
    """In the order of the shards; from object storage many at once, since each is a request that mostly waits."""
    if not store.is_remote:
        yield from (_manifest_or_fault(store, shard) for shard in shards)
        return
    with ThreadPoolExecutor(_AT_ONCE, "bioner-manifests") as pool:
        for first in range(0, len(shards), _AHEAD):
            yield from pool.map(partial(_manifest_or_fault, store), shards[first : first + _AHEAD])


def _manifest_or_fault(store: Store, shard: str) -> Manifest | StoreError | None:
    try:
        return read_manifest(store, shard)
    except StoreError as error:
        return error


def shown_manifests(store: Store, *, on_left_out: Callable[[str], None] | None = None) -> Iterator[Manifest]:
    """The committed shards that can be shown, in the order of their ids: one bad file hides no other shard.

    Left out are shards whose manifest is damaged, or of which a file is gone or torn. `on_left_out` is told of each,
    with what to do; so whoever shows rows to people names what they lack (`left_out_shards`).

    Raises:
        StoreError: a manifest is of a newer schema version.
    """

    def damaged(error: StoreError) -> None:
        if not isinstance(error, DamagedFileError):
            raise error
        if on_left_out is not None:
            on_left_out(str(error))

    listed = listed_sizes(store)
    for manifest in read_manifests(store, on_fault=damaged):
        torn = next(torn_files(store, manifest, listed=listed), None)
        if torn is None:
            yield manifest
        elif on_left_out is not None:
            on_left_out(
                f"shard {manifest.shard_id}: {torn} is gone or torn. Restore it, or annotate {manifest.input_file} "
                "again: the shard is made anew"
            )


def left_out_shards(store: Store) -> list[str]:
    """The shards that `shown_manifests` leaves out, each in words with what to do; looks at no row.

    Raises:
        StoreError: a manifest is of a newer schema version.
    """
    found: list[str] = []
    for _ in shown_manifests(store, on_left_out=found.append):
        pass
    return found


def manifests_of_input(store: Store, key: str) -> list[Manifest]:
    """The committed shards of one content of one input (`layout.input_key`), by first record.

    Whoever asks for many inputs lists once: `names.list_names`.

    Raises:
        StoreError: a manifest is of a newer schema version.
    """
    return list_names(store).manifests(key)


def table_files(store: Store, table: str) -> Iterator[StorePath]:
    """The Parquet files of one table that manifests name: what a query engine should be given.

    Raises:
        StoreError: the table is unknown, or a manifest is damaged or of a newer schema version.
    """
    if table not in TABLES:
        raise StoreError(f"table {table!r} is not one of {', '.join(TABLES)}")
    for manifest in read_manifests(store):
        yield from (store.file(file.path) for file in manifest.files if file.table == table)


def shard_batches(
    store: Store, manifest: Manifest, *, table: str, columns: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """The rows of one table of one shard, a bounded batch at a time; `columns` None means all.

    Each file is in memory as it is stored, and compared with its digest first.

    Raises:
        DamagedFileError: a file is gone, or not what was committed.
        StoreError: a file cannot be read, or is of a newer schema version.
    """
    for file in manifest.files:
        if file.table == table:
            yield from _file_batches(store, manifest, file, columns)


def reject_reasons(store: Store, manifests: Iterable[Manifest]) -> Counter[str]:
    """How many rejects of these shards have each reason; reads one column of the tables that have any.

    Raises:
        StoreError: a table of rejects is damaged, missing, or of a newer schema version.
    """
    found: Counter[str] = Counter()
    for manifest in manifests:
        for batch in shard_batches(store, manifest, table="rejects", columns=["reason"]):
            found.update(batch.column(0).to_pylist())
    return found


def _file_batches(
    store: Store, manifest: Manifest, file: StoredFile, columns: Sequence[str] | None
) -> Iterator[pa.RecordBatch]:
    path = store.file(file.path)
    try:
        # Invariant: what is read is what was compared, so the file is read once, and its rows are taken from memory.
        # Parquet's own checksums cover neither the heads of pages nor the footer.
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != file.sha256:
            raise DamagedFileError(changed_words(store, file, manifest=manifest))
        with pq.ParquetFile(pa.BufferReader(content)) as parquet:
            version = file_fact(parquet.schema_arrow, "schema_version")
            check_schema_version(int(version or 0), where=str(path))
            yield from parquet.iter_batches(_BATCH_ROWS, columns=columns)
    except FileNotFoundError as error:
        raise DamagedFileError(changed_words(store, file, manifest=manifest, fault="is gone")) from error
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        raise StoreError(f"{path}: cannot be read ({error}). Annotate its input again, or restore the file") from error
