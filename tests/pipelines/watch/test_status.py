"""How a store stands."""

import json
from pathlib import Path

from annotate_fakes import POISON, BrokenPool, make_job, run, write_jsonl

from bioner_core.store.history.ledger import JobRun, record_run
from bioner_core.store.layout import Store
from pipelines.watch.status import store_status


def test_an_empty_store_has_nothing_to_say(tmp_path: Path) -> None:
    """Would catch a crash of `bioner status` before the first run."""
    status = store_status(Store(tmp_path / "none"))
    assert (status.inputs, status.shards_committed, status.shards_pending, status.failures) == (0, 0, 0, ())


def test_what_is_done_what_waits_and_what_failed(tmp_path: Path) -> None:
    """Would catch a status that calls a store complete while shards are missing, or that hides rejects."""
    texts = [*["Good."] * 24, f"{POISON} here. Good."]
    job = make_job(tmp_path / "s", write_jsonl(tmp_path / "in.jsonl", texts))
    run(job)
    status = store_status(job.store)
    assert (status.inputs, status.shards_committed, status.shards_pending) == (1, 3, 0)
    assert (status.counts.annotated, status.reject_reasons) == (25, {"actor_died": 1})
    assert status.fingerprints == {job.run_fingerprint: 3}
    for path in list((job.store.root / "manifests").iterdir())[:2]:
        path.unlink()
    run(job, BrokenPool)
    status = store_status(job.store)
    assert (status.shards_committed, status.shards_pending, len(status.failures)) == (1, 2, 2)
    assert "no actor is left" in json.dumps(status.as_json())


def test_a_failure_stands_until_its_shard_is_committed(tmp_path: Path) -> None:
    """Would catch failed shards of a backfill that are told only until its next file has ended."""
    first = make_job(tmp_path / "s", write_jsonl(tmp_path / "one.jsonl", ["Good."] * 24))
    second = make_job(tmp_path / "s", write_jsonl(tmp_path / "two.jsonl", ["Fine."] * 4))
    run(first, BrokenPool)
    failed = store_status(first.store).failures
    run(second)
    assert len(failed) == 3
    assert store_status(first.store).failures == failed
    run(first)
    assert store_status(first.store).failures == ()


def test_the_last_run_of_each_job_tells_its_fault(tmp_path: Path) -> None:
    """Would catch a night that failed and of which nothing is left when another job's night was good."""
    store = Store(tmp_path / "s")
    for run_id, job, code, message in (
        ("1", "nightly cnki", 1, "a disk was full"),
        ("2", "nightly pubmed", 1, "number 2 of 2026 is missing"),
        ("3", "nightly cnki", 0, ""),
    ):
        record_run(
            store,
            JobRun(run_id=run_id, job=job, started=run_id, seconds=1, applied=(), exit_code=code, message=message),
        )
    assert store_status(store).failed_jobs == ("nightly pubmed, begun 2, ended with 1: number 2 of 2026 is missing",)
