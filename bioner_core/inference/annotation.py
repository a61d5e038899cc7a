"""The contract between whoever has sentences and whoever holds a model. Imports no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bioner_core.mentions import Candidate
from bioner_core.records import RejectReason


@dataclass(frozen=True, slots=True)
class AnnotationRequest:
    """One sentence to be annotated with one label set."""

    text: str
    label_set: str


@dataclass(frozen=True, slots=True)
class RowError:
    """Why one row of a batch has no result; its batch-mates are not touched by it."""

    reason: RejectReason
    message: str
    traceback: str = ""
    attempts: int = 1


RowResult = tuple[Candidate, ...] | RowError
"""The candidates of one request, offsets into its text, or the reason why there are none."""


class Annotator(Protocol):
    """Texts in, candidates out: the one object that an actor holds."""

    @property
    def fingerprint(self) -> str:
        """Hex digest of everything that its answers depend on."""
        ...

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Annotate a batch; results are index-aligned, and do not depend on batch, order or padding.

        Raises:
            AnnotatorOutOfMemoryError: the batch does not fit the device; the caller may send a smaller one.
        """
        ...


class NullAnnotator:
    """Finds nothing: the whole path without a model, for benches of the pipeline itself."""

    @property
    def fingerprint(self) -> str:
        """A constant that no model's digest can equal."""
        return "null"

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """No candidates for each request."""
        return [() for _ in requests]
