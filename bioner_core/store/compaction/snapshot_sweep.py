"""Removes snapshots that nobody needs: those that a killed compaction left half made, and old ones."""

import os
import shutil
from pathlib import Path

from bioner_core.store.atomic import stale_trouble
from bioner_core.store.layout import Store
from bioner_core.store.objects import requests
from bioner_core.store.objects.object_path import ObjectPath
from bioner_core.store.paths import StorePath
from bioner_core.store.snapshot.snapshot_manifest import (
    MANIFEST_NAME,
    current_id,
    snapshot_ids,
    unfinished_snapshots,
)

BUILDING_SUFFIX = ".building"
_REMOVING_SUFFIX = ".removing"


def sweep_snapshots(store: Store, *, keep: int | None) -> tuple[str, ...]:
    """Remove what killed compactions left, and all but the `keep` newest snapshots; returns the ids of those.

    The current snapshot always stays; None keeps all. Hold the store's lock for it.

    Raises:
        StoreError: something cannot be removed.
    """
    for left in unfinished_snapshots(store):
        remove_objects(left)
    for suffix in () if store.is_remote else (BUILDING_SUFFIX, _REMOVING_SUFFIX):
        for folder in store.snapshots.glob(f".*{suffix}"):
            remove_folder(folder)
    if keep is None:
        return ()
    shown = current_id(store)
    others = [one for one in snapshot_ids(store) if one != shown]
    removed = tuple(others[: max(0, len(others) - (keep - 1))])
    for snapshot_id in removed:
        _remove(store, snapshot_id)
    return removed


def remove_folder(folder: StorePath) -> None:
    """Remove a folder with all that is in it, if it is there.

    Raises:
        StoreError: it cannot be removed.
    """
    with stale_trouble(folder):
        if isinstance(folder, Path) and folder.is_dir():
            shutil.rmtree(folder)


def remove_objects(folder: StorePath) -> None:
    """Remove the objects of a snapshot, the manifest first: without it nobody opens the rest.

    Raises:
        StoreError: they cannot be removed.
    """
    if isinstance(folder, ObjectPath):
        (folder / MANIFEST_NAME).unlink(missing_ok=True)
        requests.delete(folder.bucket, [path.key for path in folder.rglob("*")])


def _remove(store: Store, snapshot_id: str) -> None:
    # Invariant: a folder under a snapshot's name is a whole snapshot. It is renamed first, in one step, and removed
    # then.
    folder = store.snapshot(snapshot_id)
    if isinstance(folder, ObjectPath):
        remove_objects(folder)
        return
    hidden = folder.with_name(f".{snapshot_id}{_REMOVING_SUFFIX}")
    with stale_trouble(folder):
        os.rename(folder, hidden)
    remove_folder(hidden)
