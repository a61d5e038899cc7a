"""Who annotates: what a Beam worker calls, whoever answers, and how another process builds the annotator that does."""

import importlib
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

from bioner_core.errors import ConfigurationError, ModelError
from bioner_core.inference.annotation import AnnotationRequest, Annotator, RowResult
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


@dataclass(frozen=True, slots=True)
class AnnotatorSpec:
    """The name of a function that builds an annotator, and its keyword arguments.

    `factory` is `module:function`; the module is imported only where `build` is called, so that the launcher and the
    Beam workers never import torch. The arguments must be picklable. `fingerprint` is what the annotator must have,
    where that is known beforehand: a machine with another model is found out when an actor starts there.

    Raises:
        ConfigurationError: `factory` does not read `module:function`.
    """

    factory: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str = ""

    def __post_init__(self) -> None:
        module, _, function = self.factory.partition(":")
        if not module or not function.isidentifier():
            raise ConfigurationError(f"factory must read 'module:function', not {self.factory!r}: name one")

    def build(self) -> Annotator:
        """Import the module and call the function.

        Raises:
            ConfigurationError: the module has no such function. Errors of the import or of the call pass unchanged.
            ModelError: the annotator has another fingerprint than it must have.
        """
        module_name, _, function_name = self.factory.partition(":")
        build = getattr(importlib.import_module(module_name), function_name, None)
        if not callable(build):
            raise ConfigurationError(f"factory {self.factory!r}: {module_name} has no function {function_name!r}")
        annotator = cast("Annotator", build(**self.arguments))
        if self.fingerprint and annotator.fingerprint != self.fingerprint:
            raise ModelError(
                f"the model on {socket.gethostname()} has fingerprint {annotator.fingerprint}, not "
                f"{self.fingerprint}: install the same bioner and the same model on every machine"
            )
        return annotator
