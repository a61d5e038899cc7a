"""The exit code of a run."""

import json
from dataclasses import asdict, replace

import pytest

from bioner_core.store.manifest import Counts
from pipelines.pool.load import RunLoad
from pipelines.summary import ShardOutcome, Status, summarise
from pipelines.watch import progress
from pipelines.watch.progress import FirstDone, SilentProgress


def _outcome(status: Status, **counts: int) -> ShardOutcome:
    return ShardOutcome(status, "s", "in", Counts(**counts))


@pytest.mark.parametrize(
    ("counts", "allowed", "code"),
    [
        ({"records_in": 10, "annotated": 9, "rejected": 1}, 0.1, 0),
        ({"records_in": 10, "annotated": 8, "rejected": 2}, 0.1, 3),
        ({"records_in": 10, "annotated": 10, "rows": 10, "row_rejects": 2}, 0.1, 3),
        ({"records_in": 10, "annotated": 10, "rows": 10, "row_rejects": 1}, 0.1, 0),
        ({}, 0.0, 0),
    ],
)
def test_too_many_rejects_is_code_3(counts: dict[str, int], allowed: float, code: int) -> None:
    """Would catch a run that lost half its sentences and calls itself a success, or an empty one that does not."""
    assert summarise([_outcome(Status.COMMITTED, **counts)], seconds=1, max_reject_rate=allowed).exit_code() == code


def test_a_failure_is_code_1_whatever_the_rejects() -> None:
    """Would catch a failed shard that hides behind the reject rate."""
    outcomes = [_outcome(Status.FAILED), _outcome(Status.COMMITTED, records_in=1, rejected=1)]
    assert summarise(outcomes, seconds=1, max_reject_rate=0).exit_code() == 1


@pytest.mark.parametrize(
    ("shard", "message", "line"),
    [
        ("", "a.xml: cannot be opened", "a.xml: cannot be opened"),
        ("", "the disk is full", "a.xml: the disk is full"),
        ("a-0001", "a.xml: is cut off", "a-0001: a.xml: is cut off"),
    ],
)
def test_a_failure_names_its_place_once(shard: str, message: str, line: str) -> None:
    """Would catch `a.xml: a.xml: cannot be opened`, and a failure that names no place."""
    assert ShardOutcome(Status.FAILED, shard, "a.xml", message=message).failure == line


def test_only_this_run_counts_as_sent() -> None:
    """Would catch a rerun that boasts of rows which an earlier run sent."""
    outcomes = [_outcome(Status.SKIPPED, rows=5), _outcome(Status.COMMITTED, rows=3)]
    summary = summarise(outcomes, seconds=1.23456, max_reject_rate=0)
    assert (summary.rows_sent, summary.counts.rows, summary.seconds) == (3, 8, 1.235)
    flat = json.loads(json.dumps(summary.as_json()))
    assert (flat["rows_sent"], flat["rows"], flat["shards_skipped"], flat["failures"]) == (3, 8, 1, [])


def test_padding_is_that_of_the_batches_of_this_run() -> None:
    """Would catch a mean of the shards' shares, in which a small shard counts as much as a large one."""
    outcomes = [
        ShardOutcome(Status.COMMITTED, "a", "in", batch_tokens=90, batch_slots=100),
        ShardOutcome(Status.COMMITTED, "b", "in", batch_tokens=500, batch_slots=900),
        ShardOutcome(Status.SKIPPED, "c", "in"),
    ]
    summary = summarise(outcomes, seconds=1, max_reject_rate=0)
    assert summary.padding == summary.as_json()["padding"] == 0.41
    assert summarise([], seconds=1, max_reject_rate=0).padding == 0


def test_the_load_of_a_run_is_told_with_its_counts() -> None:
    """Would catch a figure that a script must look for in a nest, and one that hides a count of the same name."""
    summary = replace(summarise([], seconds=1, max_reject_rate=0), load=RunLoad(0.98, 12.5, 3.0, 300, 140))
    flat = summary.as_json()
    assert (flat["actor_busy_share"], flat["first_document_seconds"], flat["feeder_cpu_seconds"]) == (0.98, 12.5, 3.0)
    assert (flat["feeder_peak_memory"], flat["actor_peak_memory"]) == (300, 140)
    assert set(asdict(RunLoad())).isdisjoint(asdict(Counts()))
    assert summarise([], seconds=1, max_reject_rate=0).as_json()["actor_busy_share"] is None


def test_the_first_document_is_not_one_that_was_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a rerun whose first answer seems to come at once, or a time that moves on with each document."""
    clock = iter([5.0, 9.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    first = FirstDone(SilentProgress())
    first.done(7, skipped=True)
    assert first.at is None
    first.done(1, skipped=False)
    first.done(1, skipped=False)
    assert first.at == 5.0
