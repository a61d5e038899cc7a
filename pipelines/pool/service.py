"""What a Beam worker calls to have sentences annotated; who answers (Ray actors, or one object) is not its business."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, runtime_checkable

from bioner_core.inference.annotation import AnnotationRequest, RowResult
from bioner_core.inference.batching import BatchFill


class AnnotationService(Protocol):
    """Requests in, one result for each, index-aligned."""

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Annotate any number of requests; a row that cannot be annotated is a `RowError` in its place.

        Raises:
            PoolError: no annotator can be reached any more, so further calls are useless.
        """
        ...


@runtime_checkable
class StreamingService(Protocol):
    """A service that reads the next requests while it works on the last ones, so that its actors always have work."""

    def annotate_stream(self, buffers: Iterable[Sequence[AnnotationRequest]]) -> Iterator[list[RowResult]]:
        """For each buffer, in order, what `annotate` promises; how far it reads ahead is bounded.

        Raises:
            PoolError: as `annotate`; buffers that were not handed back are lost.
        """
        ...


@runtime_checkable
class BatchingService(Protocol):
    """A service that makes batches, and knows how full they were."""

    @property
    def fill(self) -> BatchFill:
        """How full the batches of all buffers that were handed back so far were."""
        ...


def answered(service: AnnotationService, buffers: Iterable[Sequence[AnnotationRequest]]) -> Iterator[list[RowResult]]:
    """The service's answers to each buffer, in order; one call after another where it cannot take a stream."""
    if isinstance(service, StreamingService):
        return service.annotate_stream(buffers)
    return (service.annotate(requests) if requests else [] for requests in buffers)


def fill_so_far(service: AnnotationService) -> BatchFill:
    """How full the service's batches were in all buffers so far; nothing where it makes none."""
    return service.fill if isinstance(service, BatchingService) else BatchFill()


ServiceFactory = Callable[[], AnnotationService]
"""Makes the service inside a Beam worker. It travels there pickled, so it must be picklable and hold no connection."""
