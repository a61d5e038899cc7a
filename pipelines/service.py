"""What a Beam worker calls to have sentences annotated; who answers (Ray actors, or one object) is not its business."""

from collections.abc import Callable, Sequence
from typing import Protocol

from bioner_core.annotation import AnnotationRequest, RowResult


class AnnotationService(Protocol):
    """Requests in, one result for each, index-aligned."""

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Annotate any number of requests; a row that cannot be annotated is a `RowError` in its place.

        Raises:
            PoolError: no annotator can be reached any more, so further calls are useless.
        """
        ...


ServiceFactory = Callable[[], AnnotationService]
"""Makes the service inside a Beam worker. It travels there pickled, so it must be picklable and hold no connection."""
