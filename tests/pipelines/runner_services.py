"""Beam's own services in processes of their own: what Flink or Dataflow would be to a job."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.pool.client import PoolClient, PoolClientFactory

REPOSITORY = Path(__file__).resolve().parents[2]


class NotingFactory:
    """The pool's client factory, which notes in a folder which processes made a client."""

    def __init__(self, inner: PoolClientFactory, folder: Path) -> None:
        self._inner = inner
        self._folder = folder

    def __call__(self) -> PoolClient:
        """Note this process, and make a client."""
        (self._folder / str(os.getpid())).touch()
        return self._inner()


@contextmanager
def job_service() -> Iterator[str]:
    """Beam's local job service in a process of its own; yields its address."""
    port = _free_port()
    with _service("apache_beam.runners.portability.local_job_service_main", f"--port={port}", port=port):
        yield f"localhost:{port}"


@contextmanager
def worker_service() -> Iterator[str]:
    """Beam's worker pool in a process of its own, as on a machine of a cluster: it inherits nothing from Ray."""
    port = _free_port()
    with _service("apache_beam.runners.worker.worker_pool_main", f"--service_port={port}", port=port):
        yield f"localhost:{port}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _service(module: str, option: str, *, port: int) -> Iterator[None]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    here = os.pathsep.join([str(Path(__file__).parent), str(REPOSITORY)])
    # Beam's worker pool starts `python`, whichever is first on the path
    environment = inherited | {"PYTHONPATH": here, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    process = subprocess.Popen(
        [sys.executable, "-m", module, option],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await_port(port, process)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_port(port: int, process: "subprocess.Popen[bytes]", seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        assert process.poll() is None, "the service ended before its time"
        assert time.monotonic() < deadline, "the service did not start"
        try:
            socket.create_connection(("localhost", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
