"""Fixtures of the tests that start actors, and of those whose jobs are killed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
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


@pytest.fixture(scope="session")
def run_forked() -> Iterator[Callable[..., int]]:
    """Runs a program of a test with arguments, and returns how it ended (`fork_server.py`)."""
    here = Path(__file__).resolve().parent
    folders = [here, here / "nightly", here / "sync", here.parents[1]]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, folders))}
    pipe = subprocess.PIPE
    words = [sys.executable, str(here / "fork_server.py")]
    with subprocess.Popen(words, env=environment, stdin=pipe, stdout=pipe, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None

        def run(program: Path, *arguments: object) -> int:
            server.stdin.write(json.dumps([str(program), *map(str, arguments)]) + "\n")
            server.stdin.flush()
            return int(server.stdout.readline())

        yield run
        server.stdin.close()
