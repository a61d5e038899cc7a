"""What a pool of annotator actors and its clients are told, checked before anything starts."""

import math
import os
import secrets
from dataclasses import dataclass, field

from bioner_core.errors import ConfigurationError
from bioner_core.inference.batching import BatchLimits

LOCAL = "local"
"""The `ray_address` that means: start Ray on this machine, for this pool alone."""


def _new_namespace() -> str:
    return f"bioner-{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """How many actors, with what resources, on which Ray, and how long to wait for them.

    Work begins when `least_actors` are ready, and the others join it; None: when all are.

    `ray_address` is `local` or the `host:port` of a cluster's head. `cpus_per_actor`, `gpus_per_actor` and `local_cpus`
    are Ray's logical resources: fractions are allowed, and `local_cpus` may be more than the machine has. Without
    `local_cpus`, a local Ray has enough for the actors. `threads_per_actor` is how many threads the model's libraries
    use in each actor; without it, the machine's processors are shared out. `namespace` must differ between pools on
    one cluster; without it, it is drawn at random.

    After a failed start the next one waits `back_off_seconds`, twice as long after each further failure in a row, and
    never longer than `longest_back_off_seconds`. A Ray that is started here has `ray_start_seconds` to come up, twice;
    its actors then have `start_seconds`. An actor that is to go has `drain_seconds` to end what it runs.

    Raises:
        ConfigurationError: a value is out of range, or the values contradict each other.
    """

    actors: int = 1
    least_actors: int | None = None
    cpus_per_actor: float = 1.0
    gpus_per_actor: float = 0.0
    threads_per_actor: int | None = None
    ray_address: str = LOCAL
    local_cpus: int | None = None
    namespace: str = field(default_factory=_new_namespace)
    max_restarts: int = 4
    max_failed_starts: int = 3
    start_seconds: float = 900.0
    ray_start_seconds: float = 120.0
    back_off_seconds: float = 1.0
    longest_back_off_seconds: float = 60.0
    drain_seconds: float = 600.0

    def __post_init__(self) -> None:
        self._check_at_least("actors", self.actors, 1)
        if self.least_actors is not None and not 1 <= self.least_actors <= self.actors:
            raise ConfigurationError(
                f"least_actors must be from 1 to {self.actors}, not {self.least_actors}: change it"
            )
        self._check_at_least("cpus_per_actor", self.cpus_per_actor, 0)
        self._check_at_least("gpus_per_actor", self.gpus_per_actor, 0)
        self._check_at_least("max_restarts", self.max_restarts, 0)
        self._check_at_least("max_failed_starts", self.max_failed_starts, 1)
        self._check_at_least("start_seconds", self.start_seconds, 1)
        self._check_at_least("ray_start_seconds", self.ray_start_seconds, 1)
        self._check_at_least("back_off_seconds", self.back_off_seconds, 0)
        self._check_at_least("longest_back_off_seconds", self.longest_back_off_seconds, self.back_off_seconds)
        self._check_at_least("drain_seconds", self.drain_seconds, 0)
        if self.threads_per_actor is not None:
            self._check_at_least("threads_per_actor", self.threads_per_actor, 1)
        if self.gpus_per_actor > 1:
            raise ConfigurationError(
                f"gpus_per_actor (--gpus-per-actor) is {self.gpus_per_actor:g}, but an actor's model runs on one GPU, "
                "and the others would idle: use 1 or less, and more actors"
            )
        if not self.namespace:
            raise ConfigurationError("namespace is empty: name one, or leave it out")
        self._check_address()

    def _check_at_least(self, name: str, value: float, least: float) -> None:
        if not value >= least or math.isinf(value):
            raise ConfigurationError(f"{name} must be at least {least} and finite, not {value}: change it")

    def _check_address(self) -> None:
        if self.ray_address == LOCAL:
            if self.local_cpus is not None and self.local_cpus < self.actors * self.cpus_per_actor:
                raise ConfigurationError(
                    f"local_cpus is {self.local_cpus}, but {self.actors} actors ask for {self.cpus_per_actor} each: "
                    "raise local_cpus or lower cpus_per_actor"
                )
            return
        host, colon, port = self.ray_address.rpartition(":")
        if "://" in self.ray_address or not (host and colon and port.isdecimal()):
            raise ConfigurationError(
                f"ray_address must be 'local' or the 'host:port' of a Ray head, not {self.ray_address!r}: change it"
            )
        if self.local_cpus is not None:
            raise ConfigurationError("local_cpus is for ray_address 'local' only: leave it out to join a cluster")

    @property
    def ready_for_work(self) -> int:
        """How many actors must be ready before work begins."""
        return self.actors if self.least_actors is None else self.least_actors

    def cluster_cpus(self) -> int:
        """The logical CPUs of a Ray started here: `local_cpus`, or the machine's, or what the actors ask for."""
        if self.local_cpus is not None:
            return self.local_cpus
        return max(usable_processors(), math.ceil(self.actors * self.cpus_per_actor))

    def threads(self, actors: int | None = None) -> int:
        """The threads of each of so many actors (else of those that the pool begins with).

        As set, or this machine's processors shared out, or on a cluster the CPUs of each.
        """
        if self.threads_per_actor is not None:
            return self.threads_per_actor
        if self.ray_address == LOCAL:
            return max(1, usable_processors() // (actors or self.actors))
        return max(1, int(self.cpus_per_actor))

    def actor_names(self) -> tuple[str, ...]:
        """The names within the namespace of the actors that the pool begins with, in order."""
        return tuple(actor_name(number) for number in range(self.actors))

    def back_off(self, failed_starts: int) -> float:
        """Seconds to wait before the next start, after so many failed ones in a row."""
        doublings = min(max(failed_starts - 1, 0), 30)  # beyond that a float would only grow past every cap
        return min(self.longest_back_off_seconds, self.back_off_seconds * 2.0**doublings) if failed_starts else 0.0


def actor_name(number: int) -> str:
    """The name of the pool's actor of this number, from 0."""
    return f"bioner-annotator-{number}"


def usable_processors() -> int:
    """How many processors this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Limits of one client.

    `token_budget` and `max_rows` cap a batch (see `plan_batches`); None leaves them to what the actors found for
    their devices, and a budget that is set without `max_rows` sets them as `BatchLimits.of_budget` does. `window` is
    how many batches one actor has from this client: one that runs and one that is ready. `read_ahead` is how many
    batches per actor a stream may have open, read and not handed back, before it waits for its oldest buffer.
    A batch may run `deadline_seconds` and `seconds_per_token` more for each of its tokens (`Batch.tokens`): generous on
    purpose, it tells a hung actor from a slow one, and is no aim for speed.
    `max_attempts` is how many deaths a single row may cause before it is rejected. The client gives up when no actor
    answers for `grace_seconds`, or when actors died `max_consecutive_deaths` times each, on average, with no batch
    answered in between. An overdue actor that does not answer a ping in `ping_seconds` is taken for hung.

    Raises:
        ConfigurationError: a value is out of range.
    """

    token_budget: int | None = None
    max_rows: int | None = None
    window: int = 2
    read_ahead: int = 16
    max_attempts: int = 3
    deadline_seconds: float = 120.0
    seconds_per_token: float = 0.2
    grace_seconds: float = 900.0
    ping_seconds: float = 30.0
    max_consecutive_deaths: int = 16

    def __post_init__(self) -> None:
        for name in ("token_budget", "max_rows", "window", "read_ahead", "max_attempts", "max_consecutive_deaths"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigurationError(f"{name} must be at least 1, not {value}: raise it")
        for name in ("deadline_seconds", "grace_seconds", "ping_seconds"):
            if not getattr(self, name) > 0:
                raise ConfigurationError(f"{name} must be above 0, not {getattr(self, name)}: raise it")
        if self.seconds_per_token < 0:
            raise ConfigurationError(f"seconds_per_token must be at least 0, not {self.seconds_per_token}: raise it")

    def deadline(self, tokens: int) -> float:
        """The longest time in seconds that a batch of so many tokens may run."""
        return self.deadline_seconds + tokens * self.seconds_per_token

    def limits(self, found: BatchLimits) -> BatchLimits:
        """What a batch may cost: as set here, and where nothing is set, as it was found."""
        limits = found if self.token_budget is None else BatchLimits.of_budget(self.token_budget)
        return limits if self.max_rows is None else BatchLimits(limits.token_budget, self.max_rows)
