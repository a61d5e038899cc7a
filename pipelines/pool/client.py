"""The client: how a Beam worker, or anyone else, has sentences annotated by the pool."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ray.exceptions import RayError

from bioner_core.errors import PoolError
from bioner_core.inference.annotation import AnnotationRequest, RowResult
from bioner_core.inference.batching import Batch, BatchFill, BatchLimits, fill_of, plan_batches
from pipelines.metrics.meters import PROCESS as METERS
from pipelines.metrics.metrics import BATCH_FILL, fill_increases
from pipelines.pool.actor_handles import find_actor, ping_all
from pipelines.pool.actor_tracker import ActorTracker
from pipelines.pool.actors import ActorStatus
from pipelines.pool.dispatch import Dispatch
from pipelines.pool.pool_kv import PoolKV
from pipelines.pool.pool_settings import ClientSettings
from pipelines.pool.ray_session import join_ray
from pipelines.pool.service import Key


class PoolClient:
    """Sends batches to the actors of one pool and goes on when actors die. One thread at a time; make one per thread.

    The actors belong to the launcher: a client only looks them up by name, and any number of clients share them.
    """

    def __init__(
        self,
        namespace: str,
        actor_names: Sequence[str],
        settings: ClientSettings,
        *,
        found_limits: BatchLimits | None = None,
        fingerprint: str = "",
    ) -> None:
        self._kv = PoolKV(namespace)
        self._tracker = ActorTracker(self._kv, actor_names, fingerprint=fingerprint)
        self._settings = settings
        self._limits = settings.limits(found_limits or BatchLimits())

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Annotate all requests; results are index-aligned, and a row that failed is a `RowError`.

        Every row is answered exactly once, though it may have been computed more often.

        Raises:
            PoolError: no actor can be reached for too long, the pool gave up, actors die without end, or an answer
                does not fit its batch.
        """
        ((_, results, _),) = self.annotate_stream([(None, requests)])
        return results

    def annotate_stream(
        self, buffers: Iterable[tuple[Key, Sequence[AnnotationRequest]]]
    ) -> Iterator[tuple[Key, list[RowResult], BatchFill]]:
        """For each buffer of requests, in order: its key, what `annotate` promises, and how full its batches were.

        Later buffers are read while it runs.

        Batches do not cross buffers, so the same buffer always makes the same batches. How far the stream is read
        ahead is bounded, in batches (`ClientSettings.read_ahead`). One stream of a client at a time.

        Raises:
            PoolError: as `annotate`; buffers that were not handed back are lost. What `buffers` raises is passed on.
        """
        dispatch = Dispatch(self._tracker, self._kv, self._settings)
        try:
            for (key, fill), results in dispatch.run(self._batched(buffers)):
                yield key, results, fill
        except RayError as error:
            raise PoolError(f"the connection to Ray is lost: {error}; start the pool again") from error

    def _batched(
        self, buffers: Iterable[tuple[Key, Sequence[AnnotationRequest]]]
    ) -> Iterator[tuple[tuple[Key, BatchFill], Sequence[Batch]]]:
        for key, requests in buffers:
            batches = plan_batches(requests, token_budget=self._limits.token_budget, max_rows=self._limits.max_rows)
            yield (key, _counted_fill(batches)), batches


def _counted_fill(batches: Sequence[Batch]) -> BatchFill:
    """How full these batches are together; the metrics hear of each."""
    fills = [fill_of([batch]) for batch in batches]
    for one in fills:
        METERS.observe(BATCH_FILL, 1.0 - one.padding)
    together = sum(fills, BatchFill())
    METERS.add_all(fill_increases(together))
    return together


@dataclass(frozen=True, slots=True)
class PoolClientFactory:
    """Makes a client in whatever process it is called; picklable, for `DoFn.setup`.

    `found_limits` are what the actors found for their devices; `settings` may set others. `tokens` says whether Ray
    asks for its token, which does not travel: each machine must have it. `fingerprint` is the one that every actor must
    have, empty for any.
    """

    address: str
    namespace: str
    actor_names: tuple[str, ...]
    settings: ClientSettings = field(default_factory=ClientSettings)
    found_limits: BatchLimits = field(default_factory=BatchLimits)
    tokens: bool = False
    fingerprint: str = ""

    def __call__(self) -> PoolClient:
        """Join the pool's Ray where this process has not, and make a client.

        Raises:
            PoolError: nothing answers at the address.
        """
        join_ray(self.address, namespace=self.namespace, tokens=self.tokens)
        return PoolClient(
            self.namespace,
            self.actor_names,
            self.settings,
            found_limits=self.found_limits,
            fingerprint=self.fingerprint,
        )

    def absent(self) -> dict[str, str]:
        """None: those on their way or given up are known to the owner of the pool (`bioner pool status`)."""
        return {}

    def memory_kills(self) -> int:
        """How many processes of the pool's actors Ray has ended for memory; needs a connection to the pool's Ray."""
        return PoolKV(self.namespace).memory_kills()

    def health(self, timeout_seconds: float = 10.0) -> dict[str, ActorStatus | None]:
        """The status of each of the pool's actors by name; None for one that is not there or does not answer in time.

        This process must be connected to the pool's Ray.
        """
        names = PoolKV(self.namespace).roster() or self.actor_names
        handles = {name: find_actor(name, self.namespace) for name in names}
        answers = ping_all({name: one for name, one in handles.items() if one is not None}, timeout_seconds)
        return {name: answers.get(name) for name in names}
