"""A pool that outlives its clients: reports, orders, several nodes, and an owner that is killed."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psutil
import pytest
import ray
from fake_annotators import answer
from ray.cluster_utils import Cluster

from bioner_core.errors import ConfigurationError, ModelError, PoolError
from bioner_core.inference.annotation import AnnotationRequest
from bioner_core.inference.batching import BatchLimits
from bioner_core.process_identity import ProcessIdentity, this_process
from pipelines.pool.pool import Pool, start_pool
from pipelines.pool.pool_kv import PoolKV
from pipelines.pool.pool_lookup import check_same_model, client_of, living_report
from pipelines.pool.pool_registry import PoolAddress, pool_namespace
from pipelines.pool.pool_report import ActorReport, PoolReport, SlotState, read_report_text, report_text
from pipelines.pool.pool_service import PoolService, order_scale, order_stop
from pipelines.pool.pool_settings import ClientSettings, PoolSettings
from pipelines.pool.ray_session import on_loopback
from pipelines.pool.service import AnnotatorSpec
from tests.waiting import await_true

OBEDIENT = AnnotatorSpec("fake_annotators:obedient")
NAME = "shared"
ROWS = [AnnotationRequest(f"row {number}", "x") for number in range(10)]


def report(**values: object) -> PoolReport:
    """A pool's report as its owner begins with it."""
    begun = {
        "name": NAME,
        "address": "127.0.0.1:1",
        "owner": this_process(),
        "fingerprint": "obedient",
        "model": {"model": "default", "precision": "float32"},
        "limits": BatchLimits(),
        "wanted": 1,
        "drain_seconds": 5.0,
        "started": "2026-01-01T00:00:00+00:00",
    }
    return PoolReport(**begun | values)  # type: ignore[arg-type]


def test_a_report_is_read_as_it_was_written() -> None:
    """A field that is lost on the way, or a state that comes back as another type."""
    actor = ActorReport("bioner-annotator-0", SlotState.BUSY, 7, "node", "host", "batch", 1.5, 2, 1, "why", 0.5)
    written = report(actors=(actor, ActorReport("bioner-annotator-1", SlotState.GIVEN_UP)), beat=3)
    assert read_report_text(report_text(written)) == written
    assert written.ready == 1
    assert written.as_json()["ready"] == 1


@pytest.mark.parametrize("text", ["", "{}", '{"ready": 1, "name": "x"}'])
def test_a_report_of_another_version_is_no_report(text: str) -> None:
    """A report that is taken for one of ours, with fields that mean something else."""
    with pytest.raises((ValueError, KeyError, TypeError)):
        read_report_text(text)


def test_another_model_is_refused_with_what_differs() -> None:
    """A job that stores the answers of one model under the fingerprint of another; a message of two digests only."""
    words = {"model": "default", "precision": "bfloat16"}
    check_same_model(report(), fingerprint="obedient", model=words)
    with pytest.raises(ModelError, match="precision 'float32' where this command has 'bfloat16'") as caught:
        check_same_model(report(), fingerprint="other", model=words)
    assert "model 'default'" not in str(caught.value)
    with pytest.raises(ModelError, match="not the files"):
        check_same_model(report(), fingerprint="other", model={"model": "default"})


def ended_here(pid: int) -> ProcessIdentity:
    """A process of this machine that has ended."""
    boot = this_process().birth.partition(":")[0]
    return replace(this_process(), pid=pid, birth=f"{boot}:1")


class SilentBulletin(PoolKV):
    """Notes that nobody renews."""

    def report(self) -> str:
        """A report of an owner that has died."""
        ended = subprocess.Popen(["true"])
        ended.wait()
        return report_text(report(owner=ended_here(ended.pid)))


def test_a_dead_owner_is_noticed_by_its_silence() -> None:
    """A report that a dead owner left in the cluster's tables and that passes for the state of a pool."""
    with pytest.raises(PoolError, match=r"its owner \(process \d+ on .*\) does not answer"):
        living_report(SilentBulletin("x"), NAME)


def test_an_order_of_no_actors_is_refused() -> None:
    """A pool that is scaled to nothing by a typing error."""
    with pytest.raises(ConfigurationError, match="--actors: is 0"):
        order_scale(PoolKV("x"), 0)


@contextmanager
def served(drain_seconds: float = 5.0) -> Iterator[tuple[Pool, threading.Thread]]:
    """A pool whose owner is a thread of this process."""
    chosen = PoolSettings(actors=1, cpus_per_actor=0, namespace=pool_namespace(NAME))
    with start_pool(chosen, OBEDIENT) as pool:
        service = PoolService(pool, report(address=pool.address), drain_seconds=drain_seconds)

        def keep() -> None:
            service.run()
            service.stop()

        owner = threading.Thread(target=keep)
        owner.start()
        try:
            yield pool, owner
        finally:
            order_stop(PoolKV(chosen.namespace), 0.0)
            owner.join(timeout=60)


@pytest.mark.usefixtures("importable_fakes")
def test_an_owner_reports_and_obeys() -> None:
    """Orders that are lost, obeyed twice, or not reported back; a client that cannot be made from the report alone."""
    with served() as (pool, owner):
        kv = PoolKV(pool.settings.namespace)
        await_true(lambda: bool(kv.report()))
        order_scale(kv, 2)
        await_true(lambda: living_report(kv, NAME).ready == 2)
        found = living_report(kv, NAME)
        assert found.wanted == 2
        assert all(one.pid and one.node for one in found.actors)
        assert not kv.take_order()

        address = PoolAddress(NAME, pool.address)
        client = client_of(address, found, settings=ClientSettings())()
        assert client.annotate(ROWS) == [answer(row) for row in ROWS]

        order_stop(kv, 1.0)
        owner.join(timeout=60)
        assert not owner.is_alive()
        assert living_or_last(kv).stopping
        with pytest.raises(PoolError, match="it was stopped"):
            client.annotate(ROWS)


def living_or_last(kv: PoolKV) -> PoolReport:
    """The last report, of an owner that notes none any more."""
    return read_report_text(kv.report())


OWNER = """
import sys, time
from pipelines.pool.service import AnnotatorSpec
from tests.waiting import await_true
from pipelines.pool.pool import start_pool
from pipelines.pool.pool_settings import PoolSettings
settings = PoolSettings(actors=2, ray_address=sys.argv[1], namespace=sys.argv[2])
with start_pool(settings, AnnotatorSpec("fake_annotators:obedient")) as pool:
    for status in pool.health().values():
        print(status.pid, status.node_id, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def two_nodes(importable_fakes: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a cluster of two Ray nodes on this machine."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    with on_loopback(True):
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
        cluster.add_node(num_cpus=2)
    try:
        yield str(cluster.address)
    finally:
        ray.shutdown()
        cluster.shutdown()


@contextmanager
def owner_on(address: str) -> Iterator[tuple["subprocess.Popen[str]", list[tuple[int, str]]]]:
    """A pool of two actors on a cluster, its owner in a process of its own; and (pid, node) of each actor."""
    command = [sys.executable, "-c", textwrap.dedent(OWNER), address, pool_namespace(NAME)]
    owner = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
    assert owner.stdout is not None
    try:
        lines = [owner.stdout.readline().split() for _ in range(2)]
        yield owner, [(int(pid), node) for pid, node in lines]
    finally:
        owner.kill()
        owner.wait()
        owner.stdout.close()


@pytest.mark.slow
def test_actors_are_spread_over_nodes_and_end_with_their_owner(two_nodes: str) -> None:
    """All actors on one node; orphans on a cluster that goes on after the owner was killed; a name blocked by them."""
    with owner_on(two_nodes) as (owner, actors):
        assert len({node for _, node in actors}) == 2
        processes = [psutil.Process(pid) for pid, _ in actors]
        os.kill(owner.pid, signal.SIGKILL)
        owner.wait()
        _, alive = psutil.wait_procs(processes, timeout=30)
        assert not alive
    with owner_on(two_nodes) as (_, again):
        assert len({node for _, node in again}) == 2
