"""The bench of many shards: that it measures what it says."""

from pathlib import Path

from devtools.bench_shards import bench_shards


def test_every_step_is_timed_at_every_size(tmp_path: Path) -> None:
    """Catches a step that is timed at one size alone, so that its growth says nothing."""
    found = bench_shards(tmp_path, [5, 2])
    assert {tuple(times) for times in found.seconds.values()} == {(2, 5)}
    assert set(found.growth) == {"document indexes", "plan", "status", "compaction's order", "verify"}
    assert all(ratio > 0 for ratio in found.growth.values())
