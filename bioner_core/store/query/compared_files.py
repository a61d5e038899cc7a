"""What DuckDB is to read is compared with its digests first, where that takes no longer than a moment.

DuckDB looks at no checksum: with 116 of 500 flipped bits in a file of mentions it gave other rows and no error.
"""

from collections.abc import Sequence

from bioner_core.errors import StoreError
from bioner_core.linking.link_table import LinkPage, compare_links
from bioner_core.store.committed import changed_files
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Manifest
from bioner_core.store.snapshot.snapshot_reading import Snapshot

MOST_COMPARED_BYTES = 128 * 1024 * 1024
"""What a processor digests in 0.2 s: a question is answered about a second after it was asked.

Larger ones are compared by `bioner verify` alone. A note that a file was sound at some time would not help: a disk that
changes a bit changes neither the size of the file nor its time.
"""


def compare_snapshot(snapshot: Snapshot) -> None:
    """Compare all files of a snapshot in a folder that is small enough.

    Raises:
        StoreError: one has changed, is gone, or cannot be read.
    """
    files = snapshot.manifest.files
    if not snapshot.store.is_remote and sum(file.bytes for file in files) <= MOST_COMPARED_BYTES:
        snapshot.compare(*{file.table for file in files})


def compare_shards(store: Store, manifests: Sequence[Manifest]) -> None:
    """Compare all files of these shards of a store in a folder, if they are small enough together.

    Raises:
        StoreError: one has changed, is gone, or cannot be read.
    """
    size = sum(file.bytes for one in manifests for file in one.files)
    if not store.is_remote and size <= MOST_COMPARED_BYTES:
        for fault in (fault for one in manifests for fault in changed_files(store, one)):
            raise StoreError(fault)


def compare_link_files(store: Store, page: LinkPage, *, tables: Sequence[str]) -> None:
    """Compare the files of these tables of links in a folder, as far as they have a digest, if they are small enough.

    Raises:
        StoreError: one has changed or is gone.
    """
    paths = [page.path(store, table) for table in tables]
    size = 0 if store.is_remote else sum(path.stat().st_size for path in paths if path.is_file())
    if not store.is_remote and size <= MOST_COMPARED_BYTES:
        compare_links(store, page, tables=tables)
