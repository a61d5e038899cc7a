"""Where stories of faults find the fakes and samples that they share with the tests of the pipelines and formats."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from devtools.soak.cluster import LocalCluster

_HERE = Path(__file__).resolve().parent
_PIPELINES = _HERE.parent / "pipelines"

sys.path[:0] = [str(_PIPELINES), str(_HERE.parent / "bioner_core" / "formats")]


@pytest.fixture(scope="session")
def importable_fakes() -> Iterator[None]:
    """Processes started from here on can import the fakes and the project."""
    patch = pytest.MonkeyPatch()
    patch.setenv("PYTHONPATH", os.pathsep.join(map(str, (_HERE, _PIPELINES, _HERE.parents[1]))))
    yield
    patch.undo()


@pytest.fixture(scope="module")
def cluster() -> Iterator["LocalCluster"]:
    """A head and one more node, with room for one actor each."""
    from devtools.soak.cluster import local_cluster  # Ray, which most tests here do not need

    with local_cluster(cpus=1, nodes=1) as cluster:
        yield cluster
