"""A client's view of the actors: which of them answer now, and which are being waited for."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayActorError

from bioner_core.errors import PoolError
from pipelines.pool.actors import HEALTH_GROUP, ActorStatus
from pipelines.pool.pool_kv import PoolKV

_LOOK_AGAIN_SECONDS = 0.5
"""Until a lost actor is looked up again: Ray takes seconds to start a process, so looking more often finds nothing."""
_ROSTER_SECONDS = 1.0
"""How often a client reads which actors there are; reading takes about a millisecond."""


@dataclass(slots=True, eq=False)
class TrackedActor:
    """One actor name. `ready` means that an actor of this name answered a ping since the last one was lost.

    `wanted` is False once the pool lets the actor go: it ends what it runs, and gets nothing more.
    """

    name: str
    wanted: bool = True
    handle: Any = None
    ready: bool = False
    probe: Any = None
    probed_at: float = 0.0
    look_at: float = 0.0
    found_idle: bool = False

    def ask(self, now: float) -> None:
        """Send a ping, unless one is on its way."""
        if self.probe is None:
            self.probe = self.handle.ping.options(concurrency_group=HEALTH_GROUP).remote()
            self.probed_at = now

    def lose(self, now: float) -> None:
        """Take the actor for gone; it is looked up and asked again after a moment."""
        self.handle, self.ready, self.probe, self.found_idle = None, False, None, False
        self.look_at = now + _LOOK_AGAIN_SECONDS


class ActorTracker:
    """The actors of one client. Not for two threads at once.

    `fingerprint` is the one that every actor must have, empty for any: under the same name a pool may be started again
    with another model while a client waits for it.
    """

    def __init__(self, kv: PoolKV, actor_names: Sequence[str], *, fingerprint: str = "") -> None:
        self._kv = kv
        self._fingerprint = fingerprint
        self._namespace = kv.namespace
        self._read_roster_at = 0.0
        self.actors = [TrackedActor(name) for name in actor_names]
        self.last_error = ""
        self.none_ready_since: float | None = None
        self.consecutive_deaths = 0

    def ready_actors(self) -> list[TrackedActor]:
        """The actors that answer."""
        return [actor for actor in self.actors if actor.ready]

    def open_actors(self) -> list[TrackedActor]:
        """The actors that answer and may be sent batches."""
        return [actor for actor in self.actors if actor.ready and actor.wanted]

    def roster_is_due(self, now: float) -> bool:
        """Whether it is time to see which actors there are."""
        return now >= self._read_roster_at

    def follow_roster(self, now: float, *, busy: Collection[TrackedActor]) -> None:
        """Take up actors that were added to the pool, and leave those that were taken from it.

        An actor in `busy`, with batches of ours, is kept until they are answered.
        """
        self._read_roster_at = now + _ROSTER_SECONDS
        names = self._kv.roster()
        if names is None:  # no pool just now, or one that is about to start
            return
        # Race: an actor may leave the roster while a batch of ours is on its way to it. It refuses that batch, or
        # answers it, so it stays known here until then.
        for actor in self.actors:
            actor.wanted = actor.name in names
        known = {actor.name for actor in self.actors}
        self.actors = [actor for actor in self.actors if actor.wanted or actor in busy]
        self.actors += [TrackedActor(name) for name in names if name not in known]

    def look_up(self, now: float) -> None:
        """Look up the actors that are not connected, and ask them whether they answer."""
        for actor in self.actors:
            if actor.handle is None and actor.wanted and now >= actor.look_at:
                try:
                    actor.handle = ray.get_actor(actor.name, namespace=self._namespace)
                except ValueError as error:  # Ray's word for: no actor of this name
                    self.last_error = str(error)
                    actor.lose(now)
                else:
                    actor.ask(now)
        if self.open_actors():
            self.none_ready_since = None
        elif self.none_ready_since is None:
            self.none_ready_since = now

    def probes(self) -> dict[Any, TrackedActor]:
        """The pings on their way."""
        return {actor.probe: actor for actor in self.actors if actor.probe is not None}

    def read_probe(self, actor: TrackedActor) -> ActorStatus | None:
        """Take the answer of a ping that has arrived; None, and the actor lost, when the actor is not there.

        Raises:
            PoolError: the actor holds another model than it should.
        """
        probe, actor.probe = actor.probe, None
        try:
            status: ActorStatus = ray.get(probe)
        except RayActorError as error:
            self.lose(actor, str(error))
            return None
        if self._fingerprint and status.fingerprint != self._fingerprint:
            raise PoolError(
                f"the actor {actor.name} holds another model now (fingerprint {status.fingerprint[:16]}, not "
                f"{self._fingerprint[:16]}): the pool was started again with other options; start it with the old "
                "ones, or run this command again with the new ones"
            )
        actor.ready = True
        return status

    def lose(self, actor: TrackedActor, why: str) -> None:
        """Take the actor for gone, and keep the reason."""
        # Invariant: one death counts once, however many of our batches were lost with it: only the first finds it
        # ready.
        self.consecutive_deaths += actor.ready
        self.last_error = why
        actor.lose(time.monotonic())

    def end(self, actor: TrackedActor, why: str) -> None:
        """Kill the actor so that Ray starts it afresh, and take it for gone."""
        ray.kill(actor.handle, no_restart=False)
        self.lose(actor, why)
