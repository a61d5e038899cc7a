"""The client: how a Beam worker, or anyone else, has sentences annotated by the pool."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ray.exceptions import RayError

from bioner_core.annotation import AnnotationRequest, RowResult
from bioner_core.batching import BatchLimits, Fill, fill_of, plan_batches
from bioner_core.errors import PoolError
from pipelines.bulletin import Bulletin
from pipelines.client_settings import ClientSettings
from pipelines.crew import Crew
from pipelines.dispatch import Dispatch
from pipelines.ray_session import join_ray


class PoolClient:
    """Sends batches to the actors of one pool and rides out their deaths. One thread at a time; make one a thread.

    The actors belong to the launcher: a client only looks them up by name, and any number of clients share them.
    """

    def __init__(
        self,
        namespace: str,
        actor_names: Sequence[str],
        settings: ClientSettings,
        *,
        found_limits: BatchLimits | None = None,
    ) -> None:
        self._crew = Crew(namespace, actor_names)
        self._bulletin = Bulletin(namespace)
        self._settings = settings
        self._limits = settings.limits(found_limits or BatchLimits())
        self._fill = Fill()

    @property
    def fill(self) -> Fill:
        """How full the batches of all calls so far were."""
        return self._fill

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Annotate all requests; results are index-aligned, and a row that failed is a `RowError`.

        Every row is answered exactly once, though it may have been computed more often.

        Raises:
            PoolError: no actor can be reached for too long, the pool gave up, actors die without end, or an answer
                does not fit its batch.
        """
        batches = plan_batches(requests, token_budget=self._limits.token_budget, max_rows=self._limits.max_rows)
        self._fill += fill_of(batches)
        try:
            return Dispatch(self._crew, self._bulletin, self._settings).run(batches, len(requests))
        except RayError as error:
            raise PoolError(f"the connection to Ray is lost: {error}; start the pool again") from error


@dataclass(frozen=True, slots=True)
class PoolClientFactory:
    """Makes a client in whatever process it is called; picklable, for `DoFn.setup`.

    `found_limits` are what the actors found for their devices; `settings` may set others.
    """

    address: str
    namespace: str
    actor_names: tuple[str, ...]
    settings: ClientSettings = field(default_factory=ClientSettings)
    found_limits: BatchLimits = field(default_factory=BatchLimits)

    def __call__(self) -> PoolClient:
        """Join the pool's Ray where this process has not, and make a client.

        Raises:
            PoolError: nothing answers at the address.
        """
        join_ray(self.address, namespace=self.namespace)
        return PoolClient(self.namespace, self.actor_names, self.settings, found_limits=self.found_limits)
