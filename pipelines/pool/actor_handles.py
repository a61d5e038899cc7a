"""What is done with actors from outside: make one of a name, ask how it is, wait for its end, learn why it ended.

Ray's monitor kills a process when its machine runs out of memory, and starts the actor again; whoever waits sees an
actor that is silent for a while.
"""

import time
from collections.abc import Mapping
from typing import Any

import ray
from ray._private.state import state
from ray.core.generated import common_pb2, gcs_pb2
from ray.exceptions import ActorAlreadyExistsError, ActorUnavailableError, GetTimeoutError, RayError

from pipelines.pool.actors import HEALTH_GROUP, ActorStatus, AnnotatorActor
from pipelines.pool.pool_settings import PoolSettings
from pipelines.pool.service import AnnotatorSpec

_ANSWER_SECONDS = 2.0
"""A living actor answers a ping at once, also while it works: its pings have a thread of their own."""


def make_actor(name: str, settings: PoolSettings, *, spec: AnnotatorSpec, threads: int) -> Any | None:
    """A new actor of this name, on the node with the fewest of them; None while another one has the name.

    The name of a killed actor is not free at once.
    """
    try:
        return (
            ray.remote(concurrency_groups={HEALTH_GROUP: 1})(AnnotatorActor)
            .options(
                name=name,
                namespace=settings.namespace,
                num_cpus=settings.cpus_per_actor,
                num_gpus=settings.gpus_per_actor,
                scheduling_strategy="SPREAD",
                max_restarts=settings.max_restarts,
                max_task_retries=0,
                runtime_env={"env_vars": thread_variables(threads)},
            )
            .remote(spec, name=name, namespace=settings.namespace)
        )
    except ActorAlreadyExistsError:
        return None


def ping_all(handles: Mapping[str, Any], timeout_seconds: float) -> dict[str, ActorStatus | None]:
    """The status of each actor by name; None for one that does not answer in time."""
    try:
        pings = {name: handle.ping.options(concurrency_group=HEALTH_GROUP).remote() for name, handle in handles.items()}
        if pings:
            ray.wait(list(pings.values()), num_returns=len(pings), timeout=timeout_seconds)
    except RayError:  # the connection is lost, or the last of them has just gone
        return dict.fromkeys(handles)
    return {name: _status_or_none(ping) for name, ping in pings.items()}


def find_actor(name: str, namespace: str) -> Any | None:
    """The actor of this name, or None where there is none or Ray is lost."""
    try:
        return ray.get_actor(name, namespace=namespace)
    except (ValueError, RayError):  # ValueError is Ray's word for: no actor of this name
        return None


def is_alive(name: str, namespace: str) -> bool:
    """Whether an actor of this name answers within a moment."""
    try:
        actor = ray.get_actor(name, namespace=namespace)
        ray.get(actor.ping.options(concurrency_group=HEALTH_GROUP).remote(), timeout=_ANSWER_SECONDS)
    except (ValueError, RayError):  # ValueError is Ray's word for: no actor of this name
        return False
    return True


def await_death(handle: Any, deadline: float) -> None:
    """Return when the actor is dead, at the deadline (monotonic seconds) at the latest."""
    while time.monotonic() < deadline:
        try:
            ray.get(handle.ping.options(concurrency_group=HEALTH_GROUP).remote(), timeout=1.0)
        except (ActorUnavailableError, GetTimeoutError):
            time.sleep(0.05)
        except RayError:  # dead, or Ray itself is
            return


def _status_or_none(ping: Any) -> ActorStatus | None:
    try:
        status: ActorStatus = ray.get(ping, timeout=0)
    except RayError:
        return None
    return status


def thread_variables(threads: int) -> dict[str, str]:
    """The environment of a process in which the model's libraries use so many threads."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {name: str(threads) for name in names} | {"TOKENIZERS_PARALLELISM": "false"}


_DETAIL_CHARACTERS = 300
"""Ray's words begin with what was killed and how much it held; a page of advice follows."""


def memory_kills() -> dict[str, str]:
    """Ray's own words for each process that it has ended for memory, by worker id; needs a connection to Ray."""
    try:
        table = state._connect_and_get_accessor().get_worker_table()
    except (RayError, RuntimeError):  # Ray is ending; nobody asks for more now
        return {}
    found = {}
    for row in map(gcs_pb2.WorkerTableData.FromString, table):
        if not row.is_alive and row.exit_type == common_pb2.NODE_OUT_OF_MEMORY:
            words = " ".join(row.exit_detail.split())[:_DETAIL_CHARACTERS]
            found[row.worker_address.worker_id.hex()] = words
    return found


def kill_message(count: int, detail: str) -> str:
    """What a user is told of `count` more such deaths."""
    return (
        f"Ray ended {count} actor process(es), because their machine ran out of memory; they load their model again. "
        f"Use fewer actors (--actors) or smaller batches (--memory-cap), or end other programs there. Ray: {detail}"
    )
