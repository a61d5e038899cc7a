"""A Ray cluster of several nodes on this machine, on loopback, of which nodes can be killed and come back."""

import contextlib
import io
import os
import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
from ray.cluster_utils import Cluster

from bioner_core.errors import PoolError
from pipelines.pool.ray_processes import end_marked, marked, marked_processes
from pipelines.pool.ray_session import on_loopback

_SYSTEM = {
    "worker_niceness": 0,
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 2000,
    "health_check_failure_threshold": 4,
}
"""A dead node is noticed in seconds, where Ray's own values take half a minute; and actors, which Ray would give the
lowest priority, come up beside other work on the machine."""


_STARTS = 5
"""On a busy machine a node may need several: Ray gives its agents 15 seconds to start, and offers no other time."""


class LocalCluster:
    """A head and further nodes, each with `cpus` logical CPUs. The head cannot be killed: it holds Ray's tables."""

    def __init__(self, *, cpus: int) -> None:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        self._cpus = cpus
        self._nodes: list[tuple[Any, str]] = []
        self._cluster = _started(self._head)

    @property
    def address(self) -> str:
        """`host:port` at which processes join."""
        return str(self._cluster.address)

    @property
    def nodes(self) -> int:
        """How many nodes there are beside the head."""
        return len(self._nodes)

    def add_node(self) -> None:
        """Start one more node and return when the cluster knows it.

        Raises:
            PoolError: it did not start, however often it was tried.
        """
        mark = secrets.token_hex(8)
        with marked(mark):
            node = _started(lambda: self._cluster.add_node(num_cpus=self._cpus, node_ip_address="127.0.0.1"))
        self._nodes.append((node, mark))

    def kill_node(self) -> None:
        """Kill the node that was added last with SIGKILL; its actors end with it, and workers that still start too."""
        node, mark = self._nodes.pop()
        self._cluster.remove_node(node, allow_graceful=False)
        end_marked(mark)

    def signal_node(self, number: signal.Signals) -> None:
        """Send a signal to every process of the node that was added last: SIGSTOP is as if its network were cut."""
        for pid in marked_processes(self._nodes[-1][1]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def close(self) -> None:
        """End all nodes."""
        with contextlib.redirect_stdout(io.StringIO()):
            self._cluster.shutdown()

    def _head(self) -> Cluster:
        return Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": self._cpus,
                "node_ip_address": "127.0.0.1",
                "include_dashboard": False,
                "_system_config": _SYSTEM,
            },
        )


def _started(start: Callable[[], Any]) -> Any:
    """What `start` returns; an attempt that fails leaves no process."""
    last_error = ""
    for _ in range(_STARTS):
        before = _services()
        try:
            with on_loopback(True):
                return start()
        except Exception as error:  # noqa: BLE001  Ray's class for: an agent of the node took more than 15 s
            last_error = str(error)
        for process in _services() - before:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
    raise PoolError(f"a Ray node did not start on this machine in {_STARTS} attempts: {last_error}")


def _services() -> set[psutil.Process]:
    """Ray's own processes that this one started; what they started ends with them."""
    found = set()
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if "/site-packages/ray/" in " ".join(process.cmdline()):
                found.add(process)
    return found


@contextmanager
def local_cluster(*, cpus: int, nodes: int) -> Iterator[LocalCluster]:
    """A cluster of a head and so many further nodes for the `with` block."""
    cluster = LocalCluster(cpus=cpus)
    try:
        for _ in range(nodes):
            cluster.add_node()
        yield cluster
    finally:
        cluster.close()
