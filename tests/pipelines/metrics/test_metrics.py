"""The metrics: their names, and that they say what the store says."""

import threading
from pathlib import Path

import pytest
from annotate_fakes import POISON, BrokenPool, make_job, run, write_jsonl
from metric_pages import page_numbers

from bioner_core.records import RejectReason
from bioner_core.store.manifest import Counts, total
from bioner_core.store.reading import read_manifests
from pipelines.metrics.meters import PROCESS, Meters
from pipelines.metrics.metrics import (
    BATCH_FILL,
    METRICS,
    QUEUE_DEPTH,
    RECORDS,
    REJECTS,
    JobPhase,
    Kind,
    Origin,
    shard_increases,
)
from pipelines.pool.actors import ActorStatus
from pipelines.pool.load import BusyTime
from pipelines.summary import Status
from pipelines.watch.metrics_page import JobPage

TEXTS = [*["Protein binds DNA. It is new."] * 24, f"{POISON}.", f"{POISON}. Good."]


def test_names_are_those_that_prometheus_allows_and_unlike() -> None:
    """Catches two metrics of one name, or a name that Prometheus or Ray would change."""
    names = [series for metric in METRICS for series in metric.series]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name.startswith("bioner_") for name in names)
    assert all(metric.help and not metric.help.endswith(".") for metric in METRICS)
    assert all(bool(metric.buckets) == (metric.kind is Kind.HISTOGRAM) for metric in METRICS)


def test_what_an_alert_waits_for_has_a_series_before_it_happens() -> None:
    """Catches failed shards that no alert sees: of a series that begins at 3 Prometheus has an increase of 0."""
    found = page_numbers(Meters((Origin.SHARD,)).prometheus_text())
    expected: dict[str, set[str]] = {
        "bioner_records_total": {one.value for one in shard_increases(Counts(), {}) if one.metric is RECORDS},
        "bioner_shards_total": set(Status),
        "bioner_rejects_total": set(RejectReason),
    }
    for name, values in expected.items():
        series = {f"{name}{{{value}}}" for value in values}
        assert {one for one in found if one.startswith(name)} == series
        assert not any(found[one] for one in series)


def test_the_page_says_what_the_manifests_say(tmp_path: Path) -> None:
    """Catches a counter that misses records, counts them twice, or counts what an earlier run committed."""
    job = make_job(tmp_path / "s", write_jsonl(tmp_path / "in.jsonl", TEXTS))
    page = JobPage()
    before = page_numbers(page.prometheus_text())
    run(job)
    first = page_numbers(page.prometheus_text())
    first.subtract(before)
    counts = total(manifest.counts for manifest in read_manifests(job.store))
    assert first["bioner_documents_total"] == counts.annotated == 25
    assert first["bioner_records_total{rejected}"] == counts.rejected == 1
    assert first["bioner_mentions_total"] == counts.mentions > first["bioner_mentions_accepted_total"] > 0
    assert first["bioner_mentions_accepted_total"] == counts.mentions_accepted
    assert first["bioner_rows_total"] == counts.rows
    assert first["bioner_rejects_total{actor_died}"] == 3
    assert first["bioner_shards_total{committed}"] == 3
    run(job)
    again = page_numbers(page.prometheus_text())
    assert again["bioner_documents_total"] == before["bioner_documents_total"] + 25
    assert again["bioner_shards_total{skipped}"] == before["bioner_shards_total{skipped}"] + 3


def test_failed_shards_are_counted(tmp_path: Path) -> None:
    """Catches an alert on failed shards that never sounds."""
    before = page_numbers(PROCESS.prometheus_text())
    run(make_job(tmp_path / "s", write_jsonl(tmp_path / "in.jsonl", TEXTS)), BrokenPool)
    after = page_numbers(PROCESS.prometheus_text())
    assert after["bioner_shards_total{failed}"] - before["bioner_shards_total{failed}"] == 3


class TwoActors:
    """A pool of an actor that works and one that does not answer."""

    asked = 0

    def health(self, timeout_seconds: float = 1.0) -> dict[str, ActorStatus | None]:
        """Their statuses."""
        self.asked += 1
        return {"one": ActorStatus(1, "batch", busy=BusyTime(12.5, 20.0)), "two": None}

    def absent(self) -> dict[str, str]:
        """A third one never came up."""
        return {"three": "given up"}

    def memory_kills(self) -> int:
        """None of them was ended."""
        return 0


def test_actors_are_on_the_page_and_stay_when_the_pool_has_gone() -> None:
    """Catches a file at the end of a job that says nothing of its actors, or a pool that is asked after its end."""
    pool, page = TwoActors(), JobPage()
    page.follow(pool)
    for _ in range(2):
        found = page_numbers(page.prometheus_text())
        assert found["bioner_actor_busy_seconds_total{one}"] == 12.5
        states = ("busy", "idle", "silent", "starting", "given up")
        assert [found[f"bioner_actors{{{state}}}"] for state in states] == [1, 0, 1, 0, 1]
        page.let_go()
        asked = pool.asked
    page.prometheus_text()
    assert pool.asked == asked


class NewState(TwoActors):
    """A pool with a name in a state that the page was not told of."""

    def absent(self) -> dict[str, str]:
        """It is in a state of a later version."""
        return {"two": "moved"}


def test_a_state_that_is_new_is_shown_too() -> None:
    """Catches actors in a state of their own that no sum and no alert counts."""
    page = JobPage()
    page.follow(NewState())
    found = page_numbers(page.prometheus_text())
    assert [found[f"bioner_actors{{{state}}}"] for state in ("busy", "idle", "silent", "moved")] == [1, 0, 0, 1]


def test_a_job_is_in_one_phase_at_a_time() -> None:
    """Catches an alert on a job without progress that sounds while it waits for the lock or makes the snapshot."""
    page = JobPage()
    page.enter(JobPhase.ANNOTATE)
    page.begin("nightly pubmed")
    for phase in JobPhase:
        page.enter(phase)
        found = page_numbers(page.prometheus_text())
        assert {one: found[f"bioner_job_phase{{{one}}}"] for one in JobPhase} == {one: one is phase for one in JobPhase}
    page.end(0)
    page.enter(JobPhase.ANNOTATE)
    found = page_numbers(page.prometheus_text())
    assert not any(found[f"bioner_job_phase{{{one}}}"] for one in JobPhase)


@pytest.mark.parametrize("code", [0, 3])
def test_a_job_runs_and_ends_on_the_page(code: int) -> None:
    """Catches an alert on a missed night that never sounds, or one on a failed night that sounds for a good one."""
    page = JobPage()
    assert not any(name.startswith("bioner_job") for name in page_numbers(page.prometheus_text()))
    page.begin("nightly pubmed")
    running = page_numbers(page.prometheus_text())
    assert running["bioner_job_running{nightly pubmed}"] == 1
    assert "bioner_job_exit_code{nightly pubmed}" not in running
    page.end(code)
    page.end(1)
    ended = page_numbers(page.prometheus_text())
    assert (ended["bioner_job_running{nightly pubmed}"], ended["bioner_job_exit_code{nightly pubmed}"]) == (0, code)
    assert ended["bioner_job_end_timestamp_seconds{nightly pubmed}"] > 1.7e9


def test_many_threads_lose_no_count() -> None:
    """Catches counters that two Beam workers in one process overwrite."""
    meters = Meters((Origin.CLIENT, Origin.SHARD))

    def work() -> None:
        for _ in range(500):
            meters.shift(QUEUE_DEPTH, 1)
            meters.observe(BATCH_FILL, 0.97)
            meters.add(REJECTS, 2, "no_text")
            meters.shift(QUEUE_DEPTH, -1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = page_numbers(meters.prometheus_text())
    assert found["bioner_rejects_total{no_text}"] == 4_000
    assert found["bioner_batch_fill_count"] == found["bioner_batch_fill_bucket{1.0}"] == 2_000
    assert found["bioner_batch_fill_bucket{0.95}"] == found["bioner_queue_depth"] == 0
