"""What a Beam worker calls to have sentences annotated; who answers (Ray actors, or one object) is not its business."""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from bioner_core.annotation import AnnotationRequest, RowResult
from bioner_core.batching import Fill


class AnnotationService(Protocol):
    """Requests in, one result for each, index-aligned."""

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Annotate any number of requests; a row that cannot be annotated is a `RowError` in its place.

        Raises:
            PoolError: no annotator can be reached any more, so further calls are useless.
        """
        ...


@runtime_checkable
class BatchingService(Protocol):
    """A service that makes batches, and knows how full they were."""

    @property
    def fill(self) -> Fill:
        """How full the batches of all calls so far were."""
        ...


def fill_so_far(service: AnnotationService) -> Fill:
    """How full the service's batches were in all calls so far; nothing where it makes none."""
    return service.fill if isinstance(service, BatchingService) else Fill()


ServiceFactory = Callable[[], AnnotationService]
"""Makes the service inside a Beam worker. It travels there pickled, so it must be picklable and hold no connection."""
