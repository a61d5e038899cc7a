"""One way to be connected to Ray: start it on this machine, on loopback only, or join a cluster that is named."""

import ipaddress
import logging
import os
import shutil
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray
from ray._private import ray_constants
from ray._private import utils as ray_utils
from ray._private.authentication.authentication_utils import is_token_auth_enabled
from ray._raylet import Config  # type: ignore[attr-defined]  # no stubs

from bioner_core.errors import ConfigurationError, PoolError
from pipelines.pool.pool_settings import LOCAL, PoolSettings
from pipelines.pool.ray_processes import end_marked, marked, private_ray_folder, use_private_token

_CONNECT_SECONDS = 20.0
"""Until a head that does not answer is given up; Ray itself would try for minutes, and say nothing meanwhile."""

_START_VARIABLE = "RAY_raylet_start_wait_time_s"

_connecting = threading.Lock()


@contextmanager
def ray_session(settings: PoolSettings) -> Iterator[str]:
    """Be connected to the Ray of the settings; yields the address that other processes join.

    A Ray that this call started ends with it, with all that it started, and so does a connection that it made; where
    the process was connected before, it stays so. The folder of that Ray's logs goes with it; after an error it stays,
    for whoever looks for the cause.

    Raises:
        ConfigurationError: the process is connected to another cluster than the settings name.
        PoolError: Ray cannot be started or joined.
    """
    if ray.is_initialized():
        yield _current_address(settings.ray_address)
        return
    folder = started = ""
    try:
        if settings.ray_address == LOCAL:
            folder = started = _start(settings)
        else:
            join_ray(settings.ray_address, namespace=settings.namespace)
        yield _current_address(settings.ray_address)
    except Exception:
        folder = ""
        raise
    finally:
        ray.shutdown()
        if started:
            end_marked(started)
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def joined_ray(address: str, *, namespace: str, tokens: bool = False) -> Iterator[None]:
    """Be connected to a running Ray for the block, as `join_ray`; a connection from before it stays.

    Raises:
        PoolError: nothing answers at the address.
    """
    was_connected = ray.is_initialized()
    join_ray(address, namespace=namespace, tokens=tokens)
    try:
        yield
    finally:
        if not was_connected:
            ray.shutdown()


def uses_tokens() -> bool:
    """Whether the Ray of this process lets in only those that show its token, as each that `ray_session` starts does.

    The token is in the user's state folder (`ray_processes.token_file`), or where Ray's environment variables say.
    """
    return bool(is_token_auth_enabled())


def join_ray(address: str, *, namespace: str, tokens: bool = False) -> None:
    """Connect this process to a running Ray; nothing happens where it is connected already. Safe in any thread.

    With `tokens` it shows its token; else it does so only if the environment says `RAY_AUTH_MODE=token`.

    Raises:
        PoolError: nothing answers at the address.
    """
    with _connecting:
        if ray.is_initialized():
            return
        if tokens:
            use_private_token()
        if tokens and not uses_tokens():  # a Beam worker that is no child of the launcher has not inherited it
            os.environ["RAY_AUTH_MODE"] = "token"
            Config.initialize("")  # Ray reads the environment only at import
        host, _, port = address.rpartition(":")
        try:
            # Ray itself would try for minutes, and say nothing meanwhile.
            socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS).close()
            with on_loopback(host in ("127.0.0.1", "localhost")), _handler_kept():
                ray.init(address=address, namespace=namespace, log_to_driver=False, logging_level=logging.ERROR)
        except (OSError, RuntimeError, ValueError) as error:
            raise PoolError(
                f"cannot join Ray at {address}: {error}; check the address, that Ray runs, and whether it asks for a "
                "token (RAY_AUTH_MODE=token)"
            ) from error


def _start(settings: PoolSettings) -> str:
    """Start Ray, and say where it keeps its logs and sockets: in a folder that other users cannot enter."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault(_START_VARIABLE, str(int(settings.ray_start_seconds)))  # its own 30 are too few under load
    # Ray gives its workers niceness 15, so that beside any other work an actor gets a thirtieth of a core. With 0 they
    # have the niceness of the command itself: `nice bioner annotate` still makes way for others.
    os.environ.setdefault("RAY_worker_niceness", "0")
    Config.initialize("")  # Ray reads the environment only at import
    use_private_token()
    folder = private_ray_folder()
    for attempt in (1, 2):
        try:
            with marked(str(folder)):
                _init(settings, folder)
            break
        except Exception as error:  # Ray has no class of its own for a node that is not up in time
            ray.shutdown()
            end_marked(str(folder))
            if attempt == 2:
                raise PoolError(
                    f"cannot start Ray on this machine, tried twice: {error}. If the machine is busy, give it more "
                    f"time ({_START_VARIABLE}={2 * int(settings.ray_start_seconds)} in the environment), or wait until "
                    f"it is less so; its logs are in {folder}"
                ) from error
    host = ray.get_runtime_context().gcs_address.rpartition(":")[0]
    if not ipaddress.ip_address(host.strip("[]")).is_loopback:
        raise PoolError(
            f"Ray {ray.__version__} listens on {host} and not on loopback: install the Ray of the constraints"
        )
    return str(folder)


def _init(settings: PoolSettings, folder: Path) -> None:
    with on_loopback(True), _handler_kept():
        ray.init(
            address=LOCAL,
            namespace=settings.namespace,
            num_cpus=settings.cluster_cpus(),
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _node_ip_address="127.0.0.1",
            _temp_dir=str(folder / "ray"),  # Ray opens the folder that it is given to everybody, but not those above
            # Workers made ahead, one per processor, would serve nobody: actors have environments of their own.
            _system_config={"prestart_worker_first_driver": False},
        )


@contextmanager
def on_loopback(wanted: bool) -> Iterator[None]:
    """Within the block a Ray that is started or joined at 127.0.0.1 stays there, if `wanted`."""
    # On Linux Ray replaces 127.0.0.1 by the machine's outer address, and then listens on every interface; this is its
    # own switch for machines without clusters (it is read from the environment only once, at import).
    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = before and not wanted
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


@contextmanager
def _handler_kept() -> Iterator[None]:
    """Within the block Ray takes no SIGTERM from a process that has a handler of its own.

    Ray's raises SystemExit wherever the process is. In a callback at a fork, and Ray forks a lot when it starts, Python
    drops that, and the signal is lost.
    """
    before = ray_utils.set_sigterm_handler
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        ray_utils.set_sigterm_handler = lambda _: None
    try:
        yield
    finally:
        ray_utils.set_sigterm_handler = before


def _current_address(wanted: str) -> str:
    address = str(ray.get_runtime_context().gcs_address)
    if wanted not in (LOCAL, address):
        raise ConfigurationError(f"this process is connected to Ray at {address}, not {wanted}: disconnect it first")
    return address
