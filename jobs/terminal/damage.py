"""Telling people which shards of a store are left out of what they are shown, since a file of theirs is damaged."""

from bioner_core.errors import DamagedFileError
from bioner_core.store.history.ledger import damaged_entries
from bioner_core.store.layout import Store
from bioner_core.store.reading import left_out_shards
from bioner_core.store.snapshot.snapshot_manifest import current_id
from jobs.terminal.console import require_store, say_warning

_MOST_TOLD = 10


def require_store_to_show(store: Store) -> None:
    """As `require_store`; where committed shards are shown and no snapshot, those that are left out are told.

    Raises:
        ConfigurationError: as `require_store`.
        StoreError: a manifest is of a newer schema version.
    """
    require_store(store)
    if not _has_snapshot(store):
        tell_left_out(store)


def tell_left_out(store: Store) -> None:
    """Name the shards and ledger entries of a store that are passed over, a line each on standard error.

    Raises:
        StoreError: a manifest is of a newer schema version.
    """
    found = [*left_out_shards(store), *damaged_entries(store)]
    for fault in found[:_MOST_TOLD]:
        say_warning(f"left out: {fault}")
    if len(found) > _MOST_TOLD:
        say_warning(f"left out: {len(found) - _MOST_TOLD} more; `bioner verify` lists all")


def _has_snapshot(store: Store) -> bool:
    try:
        return current_id(store) is not None
    except DamagedFileError:  # whoever opens it says so, and what to do
        return True
