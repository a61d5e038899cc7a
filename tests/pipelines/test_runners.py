"""Beam runners whose workers are elsewhere: other threads, other processes, or whatever a job service starts."""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from annotate_fakes import CHINESE, ENGLISH, CountingProgress, all_mentions, make_job, run, write_jsonl
from metric_pages import page_numbers
from runner_services import NotingFactory, job_service, worker_service

from bioner_core.errors import BionerError
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.layout import Store
from pipelines.annotate import run_annotation
from pipelines.beam_run import RunnerError, works_in_this_process
from pipelines.job import FN_API_RUNNER, AnnotationJob
from pipelines.metrics.meters import PROCESS
from pipelines.pool.pool import Pool, start_pool
from pipelines.pool.pool_settings import PoolSettings
from pipelines.pool.service import AnnotatorSpec
from pipelines.summary import JobSummary
from tests.stored_rows import document_rows, reject_rows

TEXTS = [f"Protein {number} binds DNA. It is new." for number in range(60)]
TEXTS[7] = "raise bad-row"
MULTI_PROCESSING = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")


@pytest.fixture(scope="module")
def pool(importable_fakes: None) -> Iterator[Pool]:
    """Two actors that annotate what they read, and break where they are told to."""
    with start_pool(PoolSettings(actors=2, cpus_per_actor=0.5), AnnotatorSpec("fake_annotators:obedient")) as started:
        yield started


@pytest.fixture(scope="module")
def job_endpoint() -> Iterator[str]:
    """Beam's local job service."""
    with job_service() as address:
        yield address


@pytest.fixture(scope="module")
def worker_endpoint() -> Iterator[str]:
    """A worker pool that is no child of the launcher."""
    with worker_service() as address:
        yield address


@pytest.fixture(scope="module")
def usual(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> AnnotationJob:
    """The job, done by the default runner."""
    folder = tmp_path_factory.mktemp("usual")
    job = job_for(folder, folder)
    assert run_annotation(job, service_factory=pool.client_factory()).exit_code() == 0
    return job


def job_for(inputs: Path, folder: Path, **settings: object) -> AnnotationJob:
    """Sixty documents in two files, with a store in `folder`."""
    names = [inputs / "a.jsonl", inputs / "b.jsonl"]
    if not names[0].exists():
        write_jsonl(names[0], TEXTS[:35])
        write_jsonl(names[1], TEXTS[35:], source="other")
    fixed = {"label_sets": (ENGLISH, CHINESE), "shard_records": 4, "buffer_characters": 200, "max_reject_rate": 0.2}
    return make_job(folder / "store", *map(str, names), **fixed | settings)


def done_elsewhere(
    usual: AnnotationJob, pool: Pool, tmp_path: Path, runner: str, options: tuple[str, ...]
) -> tuple[JobSummary, CountingProgress, set[int]]:
    """Do the same job with another runner: its summary, what its progress heard, and the processes that had clients."""
    (tmp_path / "pids").mkdir()
    job = job_for(Path(usual.inputs[0]).parent, tmp_path, runner=runner, pipeline_options=options)
    progress = CountingProgress()
    summary = run_annotation(
        job, service_factory=NotingFactory(pool.client_factory(), tmp_path / "pids"), progress=progress
    )
    return summary, progress, {int(path.name) for path in (tmp_path / "pids").iterdir()}


def assert_same_rows(one: Path, other: Path) -> None:
    """Two stores hold the same rows of all tables."""
    assert all_mentions(one) == all_mentions(other)
    assert sorted(document_rows(Store(one)), key=repr) == sorted(document_rows(Store(other)), key=repr)
    told, told_there = (
        [replace(row, reject=replace(row.reject, traceback="")) for row in reject_rows(Store(store))]
        for store in (one, other)
    )
    assert sorted(told, key=repr) == sorted(told_there, key=repr) != []
    assert verify_store(Store(other)).sound


@pytest.mark.slow
@pytest.mark.parametrize("runner", ["threads", "processes", "LOOPBACK", "EXTERNAL", "SUBPROCESS"])
def test_every_runner_gives_the_rows_of_the_default_one(
    usual: AnnotationJob, pool: Pool, tmp_path: Path, request: pytest.FixtureRequest, runner: str
) -> None:
    """Catches whatever does not travel to other processes: factory, job, Ray's token, outcomes, progress."""
    options: tuple[str, ...] = ("--direct_running_mode=multi_threading", "--direct_num_workers=2")
    name = FN_API_RUNNER
    if runner == "processes":
        options = MULTI_PROCESSING
    elif runner != "threads":
        name, options = "PortableRunner", portable_options(runner, request)
    before = page_numbers(PROCESS.prometheus_text())["bioner_documents_total"]
    summary, progress, pids = done_elsewhere(usual, pool, tmp_path, name, options)
    assert (summary.exit_code(), summary.shards_failed, summary.failures) == (0, 0, ())
    assert summary.counts.records_in == summary.counts.annotated + summary.counts.rejected == 60
    assert summary.rows_sent == summary.counts.rows
    assert summary.padding > 0
    assert_same_rows(usual.store.root, tmp_path / "store")
    assert (progress.total, progress.fresh, progress.skipped) == (60, 60, 0)
    assert page_numbers(PROCESS.prometheus_text())["bioner_documents_total"] - before == summary.counts.annotated
    assert (os.getpid() in pids) == (runner in ("threads", "LOOPBACK"))
    if runner == "processes":
        assert len(pids) == 2, "both Beam workers share the pool"


def portable_options(environment: str, request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The options of the portable runner for one kind of worker environment."""
    endpoint = f"--job_endpoint={request.getfixturevalue('job_endpoint')}"
    if environment == "EXTERNAL":
        address = request.getfixturevalue("worker_endpoint")
        return (endpoint, "--environment_type=EXTERNAL", f"--environment_config={address}")
    if environment == "SUBPROCESS":
        command = f"{sys.executable} -m apache_beam.runners.worker.sdk_worker_main"
        return (endpoint, "--environment_type=beam:env:harness_subprocess_python:v1", f"--environment_config={command}")
    return (endpoint, "--environment_type=LOOPBACK")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # Beam's thread of log messages
def test_a_job_may_last_longer_than_beam_waits_for_its_job_service(
    usual: AnnotationJob, pool: Pool, tmp_path: Path, job_endpoint: str
) -> None:
    """Catches a backfill that counts as failed after Beam's 300 seconds, and a stack trace in place of an error."""
    options = (f"--job_endpoint={job_endpoint}", "--environment_type=LOOPBACK")
    name = write_jsonl(tmp_path / "slow.jsonl", ["sleep 5"])
    short = make_job(
        tmp_path / "short", name, runner="PortableRunner", pipeline_options=(*options, "--job_server_timeout=2")
    )
    with pytest.raises(RunnerError, match=r"PortableRunner did not finish .* run the same command again"):
        run_annotation(short, service_factory=pool.client_factory())
    usual_wait = make_job(tmp_path / "usual", name, runner="PortableRunner", pipeline_options=options)
    assert run_annotation(usual_wait, service_factory=pool.client_factory()).counts.annotated == 1


def test_a_job_service_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Catches a mistyped endpoint that is waited for, for as long as a backfill may last."""
    name = write_jsonl(tmp_path / "in.jsonl", ["A."])
    options = ("--job_endpoint=localhost:1", "--environment_type=LOOPBACK")
    with pytest.raises(BionerError, match="nothing answers at localhost:1"):
        run(make_job(tmp_path / "s", name, runner="PortableRunner", pipeline_options=options))


@pytest.mark.parametrize(
    ("runner", "options", "here"),
    [
        (FN_API_RUNNER, (), True),
        (FN_API_RUNNER, ("--direct_running_mode=multi_threading",), True),
        (FN_API_RUNNER, MULTI_PROCESSING, False),
        ("PortableRunner", ("--environment_type=LOOPBACK",), True),
        ("PortableRunner", ("--environment_type=EXTERNAL",), False),
        ("FlinkRunner", (), False),
    ],
)
def test_where_the_workers_are(tmp_path: Path, runner: str, options: tuple[str, ...], here: bool) -> None:
    """Catches progress and metrics that are counted twice, or not at all."""
    assert works_in_this_process(make_job(tmp_path, "x", runner=runner, pipeline_options=options)) is here
