"""A job on real actors that die, hang and run out of memory in the middle of a batch; what the store must hold then.

In each story four shards are annotated by two actors. The undisturbed store is made by the same annotator without Ray.
"""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from undisturbed import assert_sound, assert_undisturbed

from bioner_core.records import RejectReason
from bioner_core.store.layout import Store
from bioner_core.store.reading import read_manifests
from devtools.soak.annotator import POISON, Order, give_order
from devtools.soak.corpus import SoakInput, make_corpus, soak_job
from devtools.soak.feeder import client_settings
from pipelines.annotate import run_annotation
from pipelines.pool.pool import Pool, start_pool
from pipelines.pool.pool_settings import PoolSettings
from pipelines.pool.service import AnnotatorSpec
from pipelines.refinish import needs_no_model
from pipelines.summary import JobSummary
from tests.stored_rows import mention_rows, reject_rows

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where actors find their orders."""
    return tmp_path_factory.mktemp("orders")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> list[SoakInput]:
    """One input without and one with a sentence that kills its reader, both annotated undisturbed."""
    return make_corpus(tmp_path_factory.mktemp("corpus"), seed=7, files=1)


@pytest.fixture(scope="module")
def pool(folder: Path, importable_fakes: None) -> Iterator[Pool]:
    """Two actors that take orders."""
    arguments = {"folder": str(folder), "feeder": 1, "seconds_per_batch": 0.02}
    settings = PoolSettings(actors=2, cpus_per_actor=0.5, local_cpus=2, max_restarts=100)
    with start_pool(settings, AnnotatorSpec("devtools.soak.annotator:faulty", arguments)) as pool:
        yield pool


def annotate(pool: Pool, one: SoakInput, store: Path) -> JobSummary:
    """Annotate an input with the pool, with deadlines of seconds."""
    return run_annotation(soak_job(one.path, Store(store)), service_factory=pool.client_factory(client_settings(3.0)))


@pytest.mark.parametrize("order", list(Order))
def test_a_fault_in_a_batch_changes_no_row_of_the_store(
    pool: Pool, folder: Path, inputs: list[SoakInput], tmp_path: Path, order: Order
) -> None:
    """Rows lost, doubled or rejected because their actor was killed, hung, or had too little memory for a batch.

    The store must be as if nothing had happened, and the job finished with exit code 0.
    """
    waiting = give_order(folder, order)
    summary = annotate(pool, inputs[0], tmp_path / "store")
    assert not waiting.exists(), "no actor took the order: nothing was tested"
    assert (summary.exit_code(), summary.shards_committed) == (0, 4)
    assert_undisturbed(inputs[0].calm_store.root, tmp_path / "store")
    assert needs_no_model(soak_job(inputs[0].path, Store(tmp_path / "store")))


def test_several_faults_at_once_change_no_row(
    pool: Pool, folder: Path, inputs: list[SoakInput], tmp_path: Path
) -> None:
    """A second fault while the first is being repaired: the rows of both batches must come through."""
    waiting = [give_order(folder, order) for order in (Order.DIE, Order.SLEEP, Order.SAY_FULL, Order.DIE)]
    assert annotate(pool, inputs[0], tmp_path / "store").exit_code() == 0
    assert not any(path.exists() for path in waiting)
    assert_undisturbed(inputs[0].calm_store.root, tmp_path / "store")


def test_a_poison_sentence_is_alone_among_the_rejects(pool: Pool, inputs: list[SoakInput], tmp_path: Path) -> None:
    """Batch-mates, or other sentences of its document, rejected with a sentence that kills every actor that reads it.

    The store must hold one reject row, that of the sentence, and every other row; the job is finished.
    """
    summary = annotate(pool, inputs[1], tmp_path / "store")
    assert (summary.counts.rejected, summary.counts.row_rejects) == (0, 1)
    assert_undisturbed(inputs[1].calm_store.root, tmp_path / "store")
    (row,) = reject_rows(Store(tmp_path / "store"))
    assert row.reject.reason is RejectReason.ACTOR_DIED
    assert not row.whole_record
    mates = [one for one in mention_rows(Store(tmp_path / "store")) if one.doc_id == row.reject.doc_id]
    assert mates
    assert all(POISON not in one.text for one in mates)


def test_a_pool_that_gives_up_in_the_middle_leaves_whole_shards(
    pool: Pool, inputs: list[SoakInput], tmp_path: Path
) -> None:
    """Actors that die and whose start then fails K times: a job that hangs, half a shard, or a rerun that starts anew.

    The first run must end by itself with exit code 1 and whole shards only; the next one adds the missing ones.
    """
    flag = tmp_path / "broken"
    assert pool.address, "its Ray is used: none is started for this story"
    with start_pool(PoolSettings(actors=1, max_failed_starts=2, max_restarts=0), _failing(flag, batches=4)) as pool:
        summary = annotate(pool, inputs[0], tmp_path / "store")
    assert flag.exists()
    assert summary.exit_code() == 1
    assert any("the model file is gone" in failure.message for failure in summary.failures)
    assert_sound(tmp_path / "store")
    done = len(list(read_manifests(Store(tmp_path / "store"))))
    assert done == summary.shards_committed < 4
    flag.unlink()
    with start_pool(PoolSettings(actors=1), _failing(flag, batches=1000)) as pool:
        again = annotate(pool, inputs[0], tmp_path / "store")
    assert (again.exit_code(), again.shards_skipped) == (0, done)
    assert_undisturbed(inputs[0].calm_store.root, tmp_path / "store")


def test_a_start_that_hangs_in_the_middle_of_a_job_is_begun_anew(
    pool: Pool, inputs: list[SoakInput], tmp_path: Path
) -> None:
    """An actor that dies and then never comes up: no client can end what was never ready, so nobody would.

    The job must end by itself, with the undisturbed rows, once a start succeeds.
    """
    flag = tmp_path / "hanging"
    assert pool.address, "its Ray is used: none is started for this story"
    spec = AnnotatorSpec("failing_starts:hanging_while", {"flag": str(flag)})
    with start_pool(PoolSettings(actors=1, start_seconds=30.0), spec) as pool:
        (status,) = pool.health().values()
        assert status is not None
        flag.touch()
        os.kill(status.pid, signal.SIGKILL)
        while not (hanging := list(tmp_path.glob("hanging.*"))):
            time.sleep(0.1)
        flag.unlink()
        assert annotate(pool, inputs[0], tmp_path / "store").exit_code() == 0
        assert not any(psutil.pid_exists(int(path.suffix[1:])) for path in hanging)
    assert_undisturbed(inputs[0].calm_store.root, tmp_path / "store")


def _failing(flag: Path, *, batches: int) -> AnnotatorSpec:
    return AnnotatorSpec("failing_starts:failing_after", {"flag": str(flag), "batches": batches})
