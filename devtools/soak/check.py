"""Is a store that was disturbed as one that was not?"""

from itertools import islice

from bioner_core.errors import StoreError
from bioner_core.store.checks.comparison import store_differences
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.layout import Store

_KEPT = 5


def store_faults(calm: Store, store: Store) -> list[str]:
    """What is wrong with `store`, whose job was disturbed, in words; empty if it is as the undisturbed one.

    Compared are all rows; the store is verified; no temporary file may be left, but for reports of killed runs.
    """
    try:
        found = list(islice(store_differences(calm, store), _KEPT))
        found += verify_store(store).faults[:_KEPT]
    except StoreError as error:
        return [str(error)]
    return found + [f"left behind: {path}" for path in store.root.rglob("*.tmp") if path.parent.name != "jobs"]
