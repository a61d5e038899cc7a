"""The bench of many shards: that it measures what it says."""

from pathlib import Path

from bioner_core.store.checks.verify import verify_store
from bioner_core.store.layout import Store
from devtools.bench_shards import STEPS, bench_shards, make_store_of_shards


def test_every_step_is_timed_at_every_size(tmp_path: Path) -> None:
    """Catches a step that is timed at one size alone, so that its growth says nothing."""
    found = bench_shards(tmp_path, [5, 2])
    assert {tuple(times) for times in found.seconds.values()} == {(2, 5)}
    assert set(found.growth) == set(STEPS)
    assert all(ratio > 0 for ratio in found.growth.values())


def test_a_store_of_linked_shards_is_a_sound_one(tmp_path: Path) -> None:
    """Catches shards that readers of a store do not take for committed ones: to pass them over takes no time."""
    store = Store(tmp_path / "store")
    make_store_of_shards(store, 103)
    report = verify_store(store)
    assert (report.shards, report.counts.records_in, report.faults) == (103, 103, ())
