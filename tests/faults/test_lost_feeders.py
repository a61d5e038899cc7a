"""Several feeders on a cluster of two Ray nodes on this machine: one of them, a node, or their launcher is killed."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import psutil
import pytest
from undisturbed import assert_undisturbed

from bioner_core.store.layout import Store
from devtools.soak.annotator import CalmAnnotator
from devtools.soak.cluster import LocalCluster
from devtools.soak.corpus import make_corpus, soak_job
from devtools.soak.processes import is_ray_feeder
from pipelines.annotate import run_annotation
from tests.waiting import await_true

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_SCRIPT = Path(__file__).with_name("feeding.py")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Four files of four shards."""
    corpus = make_corpus(tmp_path_factory.mktemp("corpus"), seed=7, files=4)
    return [str(one.path) for one in corpus if not one.poisoned]


@pytest.fixture(scope="module")
def calm(inputs: Sequence[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of an undisturbed run by one process."""
    store = tmp_path_factory.mktemp("calm") / "store"
    job = replace(soak_job(Path(inputs[0]), Store(store)), inputs=tuple(inputs))
    run_annotation(job, service_factory=CalmAnnotator)
    return store


class Launcher:
    """The command of `feeding.py`."""

    def __init__(self, cluster: LocalCluster, store: Path, folder: Path, inputs: Sequence[str]) -> None:
        self._store = store
        store.mkdir(exist_ok=True)
        words = [sys.executable, str(_SCRIPT), cluster.address, str(store), str(folder), *inputs]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=os.environ | {"RAY_ADDRESS": ""})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no process, however the test ended."""
        self.process.kill()
        self.process.wait()

    def await_shards(self, count: int) -> None:
        """Return when so many are committed."""
        await_true(lambda: self.process.poll() is not None or self._committed() >= count, seconds=240.0)

    def _committed(self) -> int:
        return len(list((self._store / "manifests").glob("[!.]*.json")))

    def answer(self) -> dict[str, object]:
        """What the command says at its end."""
        said, _ = self.process.communicate(timeout=300)
        found: dict[str, object] = json.loads(said.splitlines()[-1])
        return found


def _feeders() -> list[psutil.Process]:
    return [one for one in psutil.Process().children(recursive=True) if is_ray_feeder(one)]


@pytest.mark.usefixtures("importable_fakes")
def test_a_killed_feeder_launcher_and_node_change_no_row(
    cluster: LocalCluster, inputs: Sequence[str], calm: Path, tmp_path: Path
) -> None:
    """Shards that are lost with their feeder or done twice, feeders that outlive their launcher, and a job that does
    not go on without a node.

    First a feeder is killed, and what it had is done by others; then its launcher, and the same command goes on; then
    one of the two nodes, with its feeder and its actor.
    """
    with Launcher(cluster, tmp_path / "store", tmp_path, inputs) as launcher:
        launcher.await_shards(2)
        before = _feeders()
        assert len(before) == 2
        before[0].kill()
        launcher.await_shards(7)
    await_true(lambda: not _feeders(), seconds=60.0)
    with Launcher(cluster, tmp_path / "store", tmp_path, inputs) as again:
        again.await_shards(10)
        cluster.kill_node()
        said = again.answer()
    assert (said["exit_code"], said["failures"], said["nodes"]) == (0, [], 2)
    assert said["skipped"] not in (0, 16)
    assert_undisturbed(calm, tmp_path / "store")
