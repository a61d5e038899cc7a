"""Is a Parquet file what a manifest says of it?"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import pyarrow as pa

from bioner_core.errors import StoreError
from bioner_core.file_digest import sha256_of_file
from bioner_core.spoken import spoken_count
from bioner_core.store.committed import changed_files
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Manifest
from bioner_core.store.parquet_files import open_parquet
from bioner_core.store.paths import StorePath


class PromisedFile(Protocol):
    """What the manifests of shards and of snapshots both say of a file; `path` is below the folder of the manifest."""

    @property
    def path(self) -> str:
        """Where it is, with slashes."""

    @property
    def rows(self) -> int:
        """How many rows it has."""

    @property
    def sha256(self) -> str:
        """The digest of its bytes, in hex."""


def promised_file_faults(
    folder: StorePath, file: PromisedFile, *, schema_faults: Callable[[pa.Schema], Iterator[str]]
) -> Iterator[str]:
    """What is wrong with a file, in words; nothing when all is well.

    A file that has changed is not looked into. `schema_faults` judges its schema, without naming the file.
    """
    path = folder / file.path
    try:
        digest = sha256_of_file(path)
        if digest != file.sha256:
            yield f"{file.path} has changed since it was written (sha256 {digest}, not {file.sha256})"
            return
        with open_parquet(path, verified=False) as parquet:
            rows, schema = parquet.metadata.num_rows, parquet.schema_arrow
    except (OSError, pa.ArrowInvalid) as error:
        yield f"{file.path} cannot be read ({error})"
        return
    if rows != file.rows:
        yield f"{file.path} has {spoken_count(rows, 'row')}, not {file.rows}"
    for fault in schema_faults(schema):
        yield f"{file.path} {fault}"


def check_shard_files(store: Store, manifests: Iterable[Manifest]) -> None:
    """Make sure that every file of these shards has the bytes that were committed.

    Raises:
        StoreError: one has gone or has changed; the message names it and what to do.
    """
    for manifest in manifests:
        for fault in changed_files(store, manifest):
            raise StoreError(f"no snapshot was made: {fault}")
