"""One way to be connected to Ray: start it on this machine, on loopback only, or join a cluster that is named."""

import ipaddress
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import ray
from ray._private import ray_constants

from bioner_core.errors import ConfigurationError, PoolError
from pipelines.pool_settings import LOCAL, PoolSettings

_CONNECT_SECONDS = 20.0

_connecting = threading.Lock()


@contextmanager
def ray_session(settings: PoolSettings) -> Iterator[str]:
    """Be connected to the Ray of the settings; yields the address that other processes join.

    A Ray that this call started ends with it, and so does a connection that it made; where the process was connected
    before, it stays so.

    Raises:
        ConfigurationError: the process is connected to another cluster than the settings name.
        PoolError: Ray cannot be started or joined.
    """
    if ray.is_initialized():
        yield _current_address(settings.ray_address)
        return
    try:
        if settings.ray_address == LOCAL:
            _start(settings)
        else:
            join_ray(settings.ray_address, namespace=settings.namespace)
        yield _current_address(settings.ray_address)
    finally:
        ray.shutdown()


def join_ray(address: str, *, namespace: str) -> None:
    """Connect this process to a running Ray; nothing happens where it is connected already. Safe in any thread.

    Raises:
        PoolError: nothing answers at the address.
    """
    with _connecting:
        if ray.is_initialized():
            return
        host, _, port = address.rpartition(":")
        try:
            # Ray itself would try for minutes, and say nothing meanwhile.
            socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS).close()
            with _on_loopback(host in ("127.0.0.1", "localhost")):
                ray.init(address=address, namespace=namespace, log_to_driver=False, logging_level=logging.ERROR)
        except (OSError, RuntimeError, ValueError) as error:
            raise PoolError(f"cannot join Ray at {address}: {error}; check the address and that Ray runs") from error


def _start(settings: PoolSettings) -> None:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        with _on_loopback(True):
            ray.init(
                address=LOCAL,
                namespace=settings.namespace,
                num_cpus=settings.cluster_cpus(),
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                _node_ip_address="127.0.0.1",
            )
    except (OSError, RuntimeError, ValueError) as error:
        raise PoolError(f"cannot start Ray on this machine: {error}") from error
    host = ray.get_runtime_context().gcs_address.rpartition(":")[0]
    if not ipaddress.ip_address(host.strip("[]")).is_loopback:
        raise PoolError(
            f"Ray {ray.__version__} listens on {host} and not on loopback: install the Ray of the constraints"
        )


@contextmanager
def _on_loopback(wanted: bool) -> Iterator[None]:
    # On Linux Ray replaces 127.0.0.1 by the machine's outer address, and then listens on every interface; this is its
    # own switch for machines without clusters (it is read from the environment only once, at import).
    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = before and not wanted
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


def _current_address(wanted: str) -> str:
    address = str(ray.get_runtime_context().gcs_address)
    if wanted not in (LOCAL, address):
        raise ConfigurationError(f"this process is connected to Ray at {address}, not {wanted}: disconnect it first")
    return address
