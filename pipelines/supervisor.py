"""The launcher's watch over its actors: start them, and start again those that Ray gave up.

Ray restarts an actor whose process died, `max_restarts` times, but never one whose constructor raised. The supervisor
makes a new actor of the same name then, and gives a name up after so many starts in a row that never answered.
"""

import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import ActorAlreadyExistsError, ActorUnavailableError, GetTimeoutError, RayError

from bioner_core.errors import PoolError
from pipelines.actors import HEALTH_GROUP, AnnotatorActor
from pipelines.annotator_spec import AnnotatorSpec
from pipelines.bulletin import Bulletin
from pipelines.pool_settings import PoolSettings

_LOOK_EVERY_SECONDS = 1.0
_CLOSE_SECONDS = 20.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Post:
    """One name, and the actor that bears it at the moment."""

    name: str
    handle: Any = None
    ping: Any = None
    answered: bool = False
    failed_starts: int = 0
    last_error: str = ""
    given_up: bool = False


class Supervisor:
    """Owns the actors of one pool from `start` to `close`; needs a connection to Ray."""

    def __init__(self, settings: PoolSettings, spec: AnnotatorSpec) -> None:
        self._settings = settings
        self._spec = spec
        self._posts = [_Post(name) for name in settings.actor_names()]
        self._bulletin = Bulletin(settings.namespace)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="bioner-supervisor", daemon=True)

    def start(self) -> None:
        """Start all actors side by side, and return when each has answered; then watch them until `close`.

        Raises:
            PoolError: an actor failed to start too often, its own traceback in the message; not all answered in time;
                or another pool has the namespace.
        """
        deadline = time.monotonic() + self._settings.start_seconds
        for post in self._posts:
            self._create(post)
            if post.handle is None:
                raise PoolError(
                    f"an actor {post.name} exists in the Ray namespace {self._settings.namespace!r}: "
                    "another pool runs there, so choose another namespace"
                )
        while not all(post.answered for post in self._posts):
            self._check_start(deadline)
            self._await_pings(_LOOK_EVERY_SECONDS)
            self._step()
        self._thread.start()

    def handles(self) -> dict[str, Any]:
        """The actors that bear the names now, by name."""
        return {post.name: post.handle for post in self._posts if post.handle is not None}

    def close(self) -> None:
        """Kill every actor of this pool and return when they are gone. May be called at any time, more than once."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()
        for handle in self.handles().values():
            ray.kill(handle)
        deadline = time.monotonic() + _CLOSE_SECONDS
        for handle in self.handles().values():
            _await_death(handle, deadline)
        self._bulletin.clear()

    def _watch(self) -> None:
        while not self._closing.wait(_LOOK_EVERY_SECONDS):
            try:
                self._step()
            except RayError as error:
                _log.error("the pool %s is watched no more, Ray is lost: %s", self._settings.namespace, error)
                return

    def _step(self) -> None:
        for post in self._posts:
            if post.given_up:
                continue
            if post.handle is None:
                self._create(post)
            elif post.ping is None:
                post.ping = post.handle.ping.options(concurrency_group=HEALTH_GROUP).remote()
            elif ray.wait([post.ping], timeout=0)[0]:
                self._read_ping(post)

    def _read_ping(self, post: _Post) -> None:
        ping, post.ping = post.ping, None
        try:
            ray.get(ping)
        except ActorUnavailableError as error:  # Ray is restarting it
            post.last_error = str(error)
        except RayError as error:
            post.last_error = str(error)
            self._replace(post)
        else:
            post.answered, post.failed_starts = True, 0

    def _replace(self, post: _Post) -> None:
        post.failed_starts += not post.answered
        ray.kill(post.handle)  # a dead actor keeps its name until it is killed
        if post.failed_starts < self._settings.max_failed_starts:
            self._create(post)
            return
        post.given_up = True
        if all(other.given_up for other in self._posts):
            self._bulletin.note_failure(_given_up_message(post))

    def _create(self, post: _Post) -> None:
        post.handle, post.answered = None, False
        try:
            post.handle = (
                ray.remote(concurrency_groups={HEALTH_GROUP: 1})(AnnotatorActor)
                .options(
                    name=post.name,
                    namespace=self._settings.namespace,
                    num_cpus=self._settings.cpus_per_actor,
                    num_gpus=self._settings.gpus_per_actor,
                    max_restarts=self._settings.max_restarts,
                    max_task_retries=0,
                    runtime_env={"env_vars": _thread_variables(self._settings.threads())},
                )
                .remote(self._spec, name=post.name, namespace=self._settings.namespace)
            )
        except ActorAlreadyExistsError:  # the name of a killed actor is not free at once: the next step tries again
            return
        post.ping = post.handle.ping.options(concurrency_group=HEALTH_GROUP).remote()

    def _await_pings(self, seconds: float) -> None:
        pings = [post.ping for post in self._posts if post.ping is not None and not post.answered]
        if pings:
            ray.wait(pings, timeout=seconds)
        else:
            time.sleep(0.1)

    def _check_start(self, deadline: float) -> None:
        for post in self._posts:
            if post.given_up:
                raise PoolError(_given_up_message(post))
        if time.monotonic() > deadline:
            missing = [post.name for post in self._posts if not post.answered]
            raise PoolError(
                f"{len(missing)} of {len(self._posts)} actors did not start in {self._settings.start_seconds:g} s "
                f"({', '.join(missing)}); each asks for {self._settings.cpus_per_actor:g} CPUs and "
                f"{self._settings.gpus_per_actor:g} GPUs of {ray.cluster_resources()}; {self._posts[0].last_error}"
            )


def _given_up_message(post: _Post) -> str:
    return (
        f"the actor {post.name} failed to start {post.failed_starts} times in a row; its last error: {post.last_error}"
    )


def _thread_variables(threads: int) -> dict[str, str]:
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {name: str(threads) for name in names} | {"TOKENIZERS_PARALLELISM": "false"}


def _await_death(handle: Any, deadline: float) -> None:
    while time.monotonic() < deadline:
        try:
            ray.get(handle.ping.options(concurrency_group=HEALTH_GROUP).remote(), timeout=1.0)
        except (ActorUnavailableError, GetTimeoutError):
            time.sleep(0.05)
        except RayError:  # dead, or Ray itself is
            return
