"""Compaction killed at random moments: readers see the old snapshot or the new one, whole, and no row is lost."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from little_stores import Event, commit_input

from bioner_core.store.checks.check_snapshots import snapshot_faults
from bioner_core.store.compaction.compact import CompactionSettings, compact_store
from bioner_core.store.history.current_rows import current_mentions
from bioner_core.store.layout import Store
from bioner_core.store.snapshot.snapshot_manifest import current_id, snapshot_ids
from bioner_core.store.snapshot.snapshot_reading import open_snapshot

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[3]
KILLS = 10
DOCUMENTS = 60


@pytest.mark.slow
def test_ten_kills_harm_no_reader_and_lose_no_row(tmp_path: Path) -> None:
    """Catches a state between two steps of a compaction in which a reader finds nothing, or half of it."""
    settings = CompactionSettings(keep=1, memory_bytes=2**28, file_bytes=1)
    commit_input(tmp_path, 1, [Event(number) for number in range(DOCUMENTS)], shard_records=20)
    seconds = _compaction_time(tmp_path)
    randomness = random.Random(5)
    killed = round_number = 0
    while killed < KILLS:
        round_number += 1
        commit_input(tmp_path, 1 + round_number, [Event(round_number, version=2), Event(1000 + round_number)])
        before = current_id(Store(tmp_path))
        assert round_number < 5 * KILLS, "compaction ends before it can be killed"
        killed += _killed_after(tmp_path, randomness.uniform(0, 0.8 * seconds))
        snapshot = open_snapshot(Store(tmp_path))
        assert snapshot is not None
        documents = {one.doc_id: one.version for one in snapshot.documents()}
        assert len(documents) == DOCUMENTS + (
            round_number if current_id(Store(tmp_path)) != before else _added(documents)
        )
        assert sum(1 for _ in snapshot.mentions()) == 3 * len(documents)
        assert list(snapshot_faults(Store(tmp_path), snapshot.manifest.snapshot_id)) == []
    compact_store(Store(tmp_path), settings)
    snapshot = open_snapshot(Store(tmp_path))
    assert snapshot is not None
    assert sorted(snapshot.mentions(), key=repr) == sorted(current_mentions(Store(tmp_path)), key=repr)
    assert len(list(snapshot.documents())) == DOCUMENTS + round_number
    assert snapshot_ids(Store(tmp_path)) == [current_id(Store(tmp_path))]
    assert list(Store(tmp_path).snapshots.glob(".*")) == []


def _added(documents: dict[str, int]) -> int:
    """How many of the documents came after the first input."""
    return sum(int(doc_id.partition(":")[2]) >= 1000 for doc_id in documents)


def _compaction_time(store: Path) -> float:
    process = _begun(store)
    started = time.monotonic()
    assert process.wait(timeout=60) == 0
    return time.monotonic() - started


def _killed_after(store: Path, seconds: float) -> bool:
    """Kill a compaction so long after it began; returns whether it was still at work."""
    process = _begun(store)
    try:
        return process.wait(timeout=seconds) != 0
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        return process.wait(timeout=60) != 0


def _begun(store: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, str(HERE / "compaction_process.py"), str(store)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline() == "begins\n"
    return process
