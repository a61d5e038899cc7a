"""A Ray of the mind: actors that answer after a given time by a clock that jumps, for tests of the client's loop."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fake_annotators import answer

from bioner_core.inference.annotation import AnnotationRequest, RowResult
from pipelines.pool.actor_tracker import TrackedActor

Service = Callable[[Sequence[AnnotationRequest]], float]


@dataclass(eq=False)
class Reference:
    """An answer that is ready at a time."""

    ready_at: float
    results: list[RowResult]


@dataclass
class VirtualRay:
    """Stands in for the modules `ray` and `time` of the loop. `service` gives the seconds of a batch."""

    service: Service
    now: float = 0.0
    busy: float = 0.0
    sent: int = 0
    free_at: dict[str, float] = field(default_factory=dict)

    def actor(self, name: str) -> Any:
        """A handle of an actor that does one batch after another."""
        self.free_at[name] = 0.0
        return _Handle(self, name)

    def wait(
        self, references: Sequence[Reference], *, num_returns: int = 1, timeout: float
    ) -> tuple[list[Reference], list[Reference]]:
        """The ready ones; the clock jumps to the first of them, or to the timeout if that comes first."""
        first = min(reference.ready_at for reference in references)
        if first > self.now:
            self.now = min(first, self.now + timeout)
        ready = [reference for reference in references if reference.ready_at <= self.now]
        return ready[:num_returns], []

    def get(self, reference: Reference) -> list[RowResult]:
        """The answer."""
        assert reference.ready_at <= self.now
        return reference.results

    def monotonic(self) -> float:
        """The clock."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """The clock jumps."""
        self.now += seconds


class _Handle:
    def __init__(self, world: VirtualRay, name: str) -> None:
        self._world, self._name = world, name
        self.annotate = self

    def remote(self, _: str, requests: Sequence[AnnotationRequest], *, deadline_seconds: float) -> Reference:
        world, seconds = self._world, self._world.service(requests)
        assert seconds < deadline_seconds
        world.free_at[self._name] = max(world.now, world.free_at[self._name]) + seconds
        world.busy += seconds
        world.sent += 1
        return Reference(world.free_at[self._name], [answer(request) for request in requests])


class FullCrew:
    """A tracker whose actors are all there and stay."""

    def __init__(self, world: VirtualRay, actors: int) -> None:
        names = [f"actor-{number}" for number in range(actors)]
        self.actors = [TrackedActor(name, handle=world.actor(name), ready=True) for name in names]
        self.last_error = ""
        self.none_ready_since: float | None = None
        self.consecutive_deaths = 0

    def open_actors(self) -> list[TrackedActor]:
        """All of them."""
        return self.actors

    ready_actors = open_actors

    def roster_is_due(self, now: float) -> bool:
        """Nobody comes or goes."""
        return False

    def look_up(self, now: float) -> None:
        """Nobody is missing."""

    def probes(self) -> dict[Any, TrackedActor]:
        """Nobody is doubted."""
        return {}
