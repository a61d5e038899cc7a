"""Fixtures of the tests that start actors."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def importable_fakes() -> Iterator[None]:
    """Actors started from here on can import the modules beside this file and the project's."""
    here = Path(__file__).resolve().parent
    patch = pytest.MonkeyPatch()
    patch.setenv("PYTHONPATH", os.pathsep.join([str(here), str(here.parent.parent)]))
    yield
    patch.undo()


@pytest.fixture(scope="module")
def address(importable_fakes: None) -> Iterator[str]:
    """One local Ray for all pools of a module."""
    from pipelines.pool.pool_settings import PoolSettings
    from pipelines.pool.ray_session import ray_session  # Ray, which most tests here do not need

    with ray_session(PoolSettings(local_cpus=4)) as address:
        yield address
