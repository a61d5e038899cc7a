"""The pool: the launcher starts the actors, owns them while it runs, and leaves nothing behind."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from bioner_core.errors import ConfigurationError, PoolError
from bioner_core.inference.batching import BatchLimits
from pipelines.pool.actor_handles import ping_all
from pipelines.pool.actors import ActorStatus
from pipelines.pool.client import PoolClientFactory
from pipelines.pool.pool_report import SlotState
from pipelines.pool.pool_settings import ClientSettings, PoolSettings
from pipelines.pool.ray_session import ray_session, uses_tokens
from pipelines.pool.service import AnnotatorSpec
from pipelines.pool.supervisor import Supervisor


@dataclass(frozen=True, slots=True)
class Pool:
    """Running actors that all hold the same annotator. `address` is the Ray that other processes join.

    `limits` are those of the actor that can take least, of those that were ready when work began: any batch may go to
    any actor. One that joins later and can take less halves the batches that are too large for it.
    """

    settings: PoolSettings
    address: str
    fingerprint: str
    limits: BatchLimits
    supervisor: Supervisor

    def client_factory(self, client: ClientSettings | None = None) -> PoolClientFactory:
        """What makes a client of this pool in any process that reaches the address; picklable, imports no torch."""
        return PoolClientFactory(
            address=self.address,
            namespace=self.settings.namespace,
            actor_names=tuple(report.name for report in self.supervisor.reports()),
            settings=client or ClientSettings(),
            found_limits=self.limits,
            tokens=uses_tokens(),
            fingerprint=self.fingerprint,
        )

    def health(self, timeout_seconds: float = 10.0) -> dict[str, ActorStatus | None]:
        """The status of each actor by name; None for one that does not answer in time.

        Those that have never answered are left out: they are still on their way.
        """
        known = self.supervisor.said()
        handles = {name: handle for name, handle in self.supervisor.handles().items() if name in known}
        answers = ping_all(handles, timeout_seconds)
        return {report.name: answers.get(report.name) for report in self.supervisor.reports() if report.name in known}

    def absent(self) -> dict[str, str]:
        """The names that have no actor at work: on their way for the first time, or given up after failed starts."""
        said = self.supervisor.said()
        reports = self.supervisor.reports()
        return {one.name: str(one.state) for one in reports if one.state is SlotState.GIVEN_UP or one.name not in said}

    def memory_kills(self) -> int:
        """How many processes of its actors Ray has ended for memory."""
        return self.supervisor.memory_kills

    def scale(self, actors: int) -> None:
        """Have so many actors from now on; clients follow without a restart, and no row is lost or charged.

        Returns at once: new actors load their model first, and those that are too many end the batch that they run.

        Raises:
            ConfigurationError: fewer than one.
        """
        if actors < 1:
            raise ConfigurationError(f"actors must be at least 1, not {actors}: stop the pool to have none")
        self.supervisor.scale(actors)


@contextmanager
def start_pool(
    settings: PoolSettings,
    spec: AnnotatorSpec,
    *,
    tell: Callable[[str], None] | None = None,
    warn: Callable[[str], None] | None = None,
) -> Iterator[Pool]:
    """Start the actors and keep them for the `with` block; none of them, and no Ray started here, outlives it.

    `tell` and `warn` are as in `Supervisor`.

    Raises:
        PoolError: Ray or an actor cannot be started; an actor's own traceback is in the message.
        ConfigurationError: the settings do not fit the Ray that this process is connected to.
    """
    with ray_session(settings) as address:
        supervisor = Supervisor(settings, spec, tell=tell, warn=warn)
        try:
            supervisor.start()
            said = supervisor.said()
            yield Pool(settings, address, _common_fingerprint(said), _common_limits(said), supervisor)
        finally:
            supervisor.close()


def _common_limits(said: Mapping[str, ActorStatus]) -> BatchLimits:
    found = [status.limits for status in said.values()]
    return BatchLimits(min(one.token_budget for one in found), min(one.max_rows for one in found))


def _common_fingerprint(said: Mapping[str, ActorStatus]) -> str:
    found = {name: status.fingerprint for name, status in said.items()}
    if len(set(found.values())) != 1:
        raise PoolError(f"the actors hold different annotators: {found}; install the same model on every machine")
    return next(iter(found.values()))
