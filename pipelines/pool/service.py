"""What a Beam worker calls to have sentences annotated; who answers (Ray actors, or one object) is not its business."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar, runtime_checkable

from bioner_core.inference.annotation import AnnotationRequest, RowResult
from bioner_core.inference.batching import BatchFill

Key = TypeVar("Key")
"""Whatever the caller gives a buffer of requests along, to know its answers by; nobody else looks at it."""


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

    def annotate_stream(
        self, buffers: Iterable[tuple[Key, Sequence[AnnotationRequest]]]
    ) -> Iterator[tuple[Key, list[RowResult], BatchFill]]:
        """For each buffer, in order: its key, what `annotate` promises of it, and how full its batches were.

        How far it reads ahead is bounded.

        Raises:
            PoolError: as `annotate`; buffers that were not handed back are lost.
        """
        ...


def answered(
    service: AnnotationService, buffers: Iterable[tuple[Key, Sequence[AnnotationRequest]]]
) -> Iterator[tuple[Key, list[RowResult], BatchFill]]:
    """As `annotate_stream`; one call after another, of batches that nobody counts, where it cannot take a stream."""
    if isinstance(service, StreamingService):
        return service.annotate_stream(buffers)
    return ((key, service.annotate(requests) if requests else [], BatchFill()) for key, requests in buffers)


ServiceFactory = Callable[[], AnnotationService]
"""Makes the service inside a Beam worker. It travels there pickled, so it must be picklable and hold no connection."""
