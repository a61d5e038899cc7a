"""Where a snapshot is made, and the step in which it becomes one: a rename, or, on object storage, its manifest."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from bioner_core.errors import StoreError
from bioner_core.store.atomic import fsync_path, make_folder, write_trouble
from bioner_core.store.compaction.snapshot_sweep import BUILDING_SUFFIX, remove_folder
from bioner_core.store.layout import Store
from bioner_core.store.left_behind import temporary_folder
from bioner_core.store.objects.object_path import ObjectPath
from bioner_core.store.snapshot.snapshot_manifest import SnapshotManifest, write_snapshot_manifest


@contextmanager
def building_folder(store: Store, snapshot_id: str) -> Iterator[Path]:
    """Lend the folder that a snapshot is made in: a hidden one beside the others, or one of this machine.

    What is in it goes where the block is left by an exception.

    Raises:
        StoreError: it cannot be made.
    """
    if isinstance(store.snapshots, ObjectPath):
        with ExitStack() as stack:
            with write_trouble(store.snapshots):
                folder = stack.enter_context(temporary_folder("snapshot"))
            yield folder
        return
    hidden = store.snapshots / f".{snapshot_id}{BUILDING_SUFFIX}"
    make_stated_folder(hidden)
    try:
        yield hidden
    except BaseException:
        # On a full disk no other job could take its lock, and so none could sweep what is left here.
        with suppress(StoreError):
            remove_folder(hidden)
        raise


def make_stated_folder(folder: Path) -> None:
    """As `make_folder`.

    Raises:
        StoreError: it cannot be made.
    """
    try:
        make_folder(folder)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be made ({error}). Check the folder and its permissions") from error


def publish_snapshot(store: Store, folder: Path, *, manifest: SnapshotManifest) -> None:
    """Make a whole snapshot of a folder that holds all of one.

    Raises:
        StoreError: the folder cannot be renamed, or its files cannot be read or put on object storage; the next
            compaction removes what is left of it.
    """
    target = store.snapshot(manifest.snapshot_id)
    with write_trouble(target):
        if not isinstance(target, ObjectPath):
            os.rename(folder, target)
            fsync_path(target.parent)
            return
        for file in manifest.files:
            (target / file.path).put_file(folder / file.path)
    write_snapshot_manifest(target, manifest)
