"""After a commit: remove what its manifest has made stale. Before it, nothing committed is ever removed."""

from collections.abc import Sequence
from pathlib import Path

from bioner_core.errors import StoreError
from bioner_core.store.layout import TABLES, Store
from bioner_core.store.manifest import Manifest
from bioner_core.store.names import StoreNames


def sweep_shard(store: Store, manifest: Manifest, *, replaced: Sequence[str] = ()) -> None:
    """Remove the files of a committed shard that its manifest does not name, and the `replaced` shards whole.

    Stale are temporary files that a killed run left behind and results under a superseded fingerprint. Replaced are
    shards of the same input that were read as another format. Safe to repeat.

    Raises:
        StoreError: a stale file cannot be removed; the commit itself stands.
    """
    for shard in replaced:
        # Invariant: a manifest goes before its files, so that no reader meets one whose files are gone.
        _remove(store.manifest(shard))
        _remove_files_of(store, shard, keep=frozenset())
    _remove_files_of(store, manifest.shard_id, keep=frozenset(file.path for file in manifest.files))


def sweep_unfinished(names: StoreNames, key: str) -> None:
    """Remove temporary manifests and plans of one input that a killed run left behind.

    Call it when nobody is at work on that input.

    Raises:
        StoreError: one cannot be removed.
    """
    for path in names.left_behind(key):
        _remove(path)


def _remove_files_of(store: Store, shard: str, *, keep: frozenset[str]) -> None:
    for table in TABLES:
        for folder in store.table_folders(table, shard):
            for path in folder.iterdir():
                if store.name_of(path) not in keep:
                    _remove(path)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{path}: is stale and cannot be removed ({error}). Remove it by hand") from error
