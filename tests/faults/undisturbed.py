"""What every story of a fault ends with: the store holds, row by row, what an undisturbed run would have written."""

from pathlib import Path

from bioner_core.store.checks.verify import verify_store
from bioner_core.store.layout import Store
from devtools.soak.check import store_faults


def assert_undisturbed(calm: Path, store: Path) -> None:
    """Same shards, counts and rows as the undisturbed store; sound; nothing left behind by whatever died."""
    assert store_faults(Store(calm), Store(store)) == []


def assert_sound(store: Path) -> None:
    """What is committed is whole, however the job ended."""
    report = verify_store(Store(store))
    assert report.sound, report.faults
