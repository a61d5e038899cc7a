"""The exit code of a run."""

import json

import pytest

from bioner_core.store.manifest import Counts
from pipelines.outcome import ShardOutcome, Status
from pipelines.summary import summarise


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
