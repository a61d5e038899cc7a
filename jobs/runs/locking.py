"""The lock of a store as a verb takes it: what a dead job left is told and swept, whichever verb finds it."""

from collections.abc import Iterator
from contextlib import contextmanager

from bioner_core.store.history.lock import Part, StoreLock
from bioner_core.store.layout import Store
from bioner_core.store.left_behind import sweep_left_behind
from bioner_core.store.sweep import sweep_orphans
from jobs.terminal.console import say


@contextmanager
def held_lock(
    store: Store, *, purpose: str, quiet: bool, run_id: str = "", part: Part | None = None, wait_seconds: float = 0.0
) -> Iterator[StoreLock]:
    """Hold the store for the block, and say so when a dead job's lock had to be taken over.

    What dead jobs, and readers that were killed, have left is swept, unless other parts of one backfill may be at work.

    Raises:
        StoreError: another job is at work on the store.
    """
    with StoreLock(store, purpose=purpose, run_id=run_id, part=part, wait_seconds=wait_seconds) as lock:
        if lock.took_over and not quiet:
            say(f"took over the lock of a job that has died: {lock.took_over}")
        if part is None or part.whole:
            sweep_left_behind(store)
            if lock.took_over:
                sweep_orphans(store)
        yield lock
