"""After a commit: remove what its manifest has made stale. Before it, nothing committed is ever removed.

On object storage nothing is listed after a commit: what an earlier manifest named goes, and what killed runs left goes
when their lock is taken over (`sweep_orphans`).
"""

from collections.abc import Sequence

from bioner_core.errors import DamagedFileError
from bioner_core.store.atomic import remove_stale
from bioner_core.store.committed import listed_sizes, whole_manifest
from bioner_core.store.layout import TABLES, Store
from bioner_core.store.manifest import Manifest
from bioner_core.store.names import StoreNames
from bioner_core.store.objects import requests
from bioner_core.store.objects.fence import fence_of
from bioner_core.store.objects.object_path import ObjectPath
from bioner_core.store.paths import StorePath
from bioner_core.store.reading import read_manifests


def sweep_shard(
    store: Store, manifest: Manifest, *, replaced: Sequence[str] = (), earlier: Manifest | None = None
) -> None:
    """Remove the files of a committed shard that its manifest does not name, and the `replaced` shards whole.

    `earlier` is the manifest that this one has replaced, where it has.

    Stale are temporary files that a killed run left behind and results under a superseded fingerprint. Replaced are
    shards of the same input that were read as another format. Safe to repeat.

    Raises:
        StoreError: a stale file cannot be removed; the commit itself stands.
    """
    if isinstance(store.root, ObjectPath):
        _sweep_objects(store, manifest, replaced, earlier)
        return
    for shard in replaced:
        # Invariant: a manifest goes before its files, so that no reader meets one whose files are gone.
        remove_stale(store.manifest(shard))
        _remove_files_of(store, shard, keep=frozenset())
    _remove_files_of(store, manifest.shard_id, keep=frozenset(file.path for file in manifest.files))


def sweep_unfinished(names: StoreNames, key: str) -> None:
    """Remove temporary manifests and plans of one input that a killed run left behind.

    Call it when nobody is at work on that input.

    Raises:
        StoreError: one cannot be removed.
    """
    for path in names.left_behind(key):
        remove_stale(path)


def sweep_orphans(store: Store) -> int:
    """Remove the files of tables on object storage that no manifest names; returns how many.

    Hold the lock of the whole store for it, before any work: another job's files are named only when it commits. In a
    folder each commit sweeps for itself, and there is nothing to do.

    Where a manifest is damaged nobody knows what it named, and all files stay.

    Raises:
        StoreError: the store cannot be listed, or is of a newer schema version.
    """
    found = listed_sizes(store) if store.is_remote else {}
    if not found:
        return 0
    named: set[str] = set()
    try:
        for manifest in read_manifests(store):
            named.update(file.path for file in manifest.files)
    except DamagedFileError:
        return 0
    orphans = sorted(found.keys() - named)
    _remove_objects([store.file(name) for name in orphans])
    return len(orphans)


def _sweep_objects(store: Store, manifest: Manifest, replaced: Sequence[str], earlier: Manifest | None) -> None:
    stale = list(earlier.files) if earlier is not None else []
    for shard in replaced:
        old = whole_manifest(store, shard)
        # Invariant: a manifest goes before its files, as above.
        remove_stale(store.manifest(shard))
        stale += old.files if old is not None else ()
    kept = {file.path for file in manifest.files}
    _remove_objects([store.file(file.path) for file in stale if file.path not in kept])


def _remove_objects(paths: Sequence[StorePath]) -> None:
    """In as few requests as there can be."""
    objects = [path for path in paths if isinstance(path, ObjectPath)]
    if not objects:
        return
    bucket = objects[0].bucket
    fence = fence_of(bucket, objects[0].key)
    if fence is not None:
        fence.check()
    requests.delete(bucket, [one.key for one in objects])


def _remove_files_of(store: Store, shard: str, *, keep: frozenset[str]) -> None:
    for table in TABLES:
        for folder in store.table_folders(table, shard):
            for path in folder.iterdir():
                if store.name_of(path) not in keep:
                    remove_stale(path)
