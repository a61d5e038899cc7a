"""A cluster of two Ray nodes on this machine, one of which dies in the middle of a job.

The feeder is a process of its own that joins the cluster by its address, as `bioner annotate --ray host:port` does.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from undisturbed import assert_undisturbed

from bioner_core.store.layout import Store
from bioner_core.store.reading import read_manifests
from devtools.soak.annotator import signed_in
from devtools.soak.cluster import LocalCluster
from devtools.soak.corpus import SoakInput, make_corpus
from devtools.soak.feeder_process import FeederProcess, FeederSettings
from tests.waiting import await_true

REPOSITORY = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> SoakInput:
    """An input, annotated undisturbed."""
    return make_corpus(tmp_path_factory.mktemp("corpus"), seed=11, files=1)[0]


@pytest.fixture
def feeder(cluster: LocalCluster, tmp_path: Path) -> Iterator[FeederProcess]:
    """A feeder whose pool of two actors is up, one on each node."""
    feeder = FeederProcess(
        FeederSettings(cluster.address, tmp_path, actors=2, seconds_per_batch=0.5, deadline_seconds=5.0), 1
    )
    try:
        feeder.answer(300)
        yield feeder
    finally:
        feeder.end()


def _alive(folder: Path) -> set[int]:
    return {pid for _, pid in signed_in(folder) if psutil.pid_exists(pid)}


def _process_names() -> list[str]:
    names = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            names.append(process.name())
    return names


def test_the_other_node_takes_over_the_work_of_one_that_dies(
    cluster: LocalCluster, feeder: FeederProcess, calm: SoakInput, tmp_path: Path
) -> None:
    """Batches lost with their node, a job that waits for a node that never comes back, or actors that outlive it.

    The job must end on the node that is left, with the undisturbed rows; when a node comes back, so does its actor.
    """
    store = tmp_path / "store"
    before = _alive(tmp_path)
    assert len(before) == 2
    feeder.tell(calm.path, Store(store))
    await_true(lambda: any(read_manifests(Store(store))))
    cluster.kill_node()
    answer = feeder.answer(300)
    assert (answer["exit_code"], answer["failures"], answer["finished"]) == (0, [], True)
    assert_undisturbed(calm.calm_store.root, store)
    await_true(
        lambda: len(_alive(tmp_path)) == 1
    )  # one has room, and only one; a dead node's actor ends after its node
    assert len(_alive(tmp_path) & before) == 1, "the actor beside the dead node went on"
    cluster.add_node()
    await_true(lambda: len(_alive(tmp_path)) == 2)
    feeder.tell(calm.path, Store(tmp_path / "again"))
    assert feeder.answer(300)["exit_code"] == 0
    assert_undisturbed(calm.calm_store.root, tmp_path / "again")


def test_a_network_that_is_cut_between_nodes_changes_no_row(
    cluster: LocalCluster, feeder: FeederProcess, calm: SoakInput, tmp_path: Path
) -> None:
    """Batches that wait for ever at a node that neither answers nor closes its connections, or that are counted twice
    when it comes back.

    The feeder and one actor are on one node; the other node is silenced in the middle of a job. It comes back when Ray
    has given it up, and dies then.
    """
    store = tmp_path / "store"
    feeder.tell(calm.path, Store(store))
    await_true(lambda: any(read_manifests(Store(store))))
    cluster.signal_node(signal.SIGSTOP)
    try:
        answer = feeder.answer(300)
    finally:
        cluster.signal_node(signal.SIGCONT)
    assert (answer["exit_code"], answer["failures"], answer["finished"]) == (0, [], True)
    assert_undisturbed(calm.calm_store.root, store)
    cluster.kill_node()
    cluster.add_node()
    feeder.tell(calm.path, Store(tmp_path / "again"))
    assert feeder.answer(300)["exit_code"] == 0
    assert_undisturbed(calm.calm_store.root, tmp_path / "again")


def test_annotate_joins_a_cluster_by_address_and_leaves_it_as_it_was(cluster: LocalCluster, tmp_path: Path) -> None:
    """A command that starts a Ray of its own beside the cluster, stops the cluster, or leaves processes in it.

    Ray ends a job's actors after its driver has gone, so they may outlive the command for a moment.
    """
    words = [sys.executable, "-m", "jobs.main", "annotate", "bioner_core/samples/cnki_sample.txt", "--json", "--quiet"]
    words += ["--store", str(tmp_path / "s"), "--annotator", "null", "--ray", cluster.address, "--actors", "2"]
    words += ["--feeders", "2"]
    done = subprocess.run(
        words,
        cwd=REPOSITORY,
        env=os.environ | {"RAY_ADDRESS": ""},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["shards_committed"] == 1
    assert cluster.nodes == 1
    await_true(lambda: not [name for name in _process_names() if "AnnotatorActor" in name or "Feeder" in name])
    assert any("raylet" in name for name in _process_names())
