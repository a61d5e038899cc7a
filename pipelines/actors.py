"""The actor: one process that holds one annotator and answers batches."""

import os
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from bioner_core.annotation import AnnotationRequest, RowResult
from bioner_core.batching import BatchLimits, limits_of
from bioner_core.ladder import DeviceLostError, annotate_rows
from pipelines.annotator_spec import AnnotatorSpec
from pipelines.bulletin import Bulletin

HEALTH_GROUP = "health"
"""Concurrency group of `AnnotatorActor.ping`: one thread of its own, so that it answers while a batch runs."""


@dataclass(frozen=True, slots=True)
class ActorStatus:
    """What an actor says of itself: its process, and the parcel that it runs (empty when idle)."""

    pid: int
    parcel_id: str = ""
    running_seconds: float = 0.0
    deadline_seconds: float = 0.0

    @property
    def overdue(self) -> bool:
        """Whether the parcel has run for longer than it may."""
        return bool(self.parcel_id) and self.running_seconds > self.deadline_seconds


class AnnotatorActor:
    """Holds one annotator. A plain class, made an actor by the pool, so that tests can call it without Ray's.

    It is built from a spec in its own process: nobody else imports the model's libraries.
    """

    def __init__(self, spec: AnnotatorSpec, *, name: str, namespace: str) -> None:
        self._name = name
        self._bulletin = Bulletin(namespace)
        self._running: tuple[str, float, float] | None = None
        self._annotator = spec.build()
        self._fingerprint = self._annotator.fingerprint
        self._limits = limits_of(self._annotator)

    def annotate(
        self, parcel_id: str, requests: Sequence[AnnotationRequest], *, deadline_seconds: float
    ) -> list[RowResult]:
        """Answer each row, index-aligned; a row that fails is a `RowError` and touches no other row.

        `deadline_seconds` is not enforced here: `ping` reports it, and whoever waits ends an overdue process.
        A GPU error that no later batch can survive ends this process, so that Ray starts a fresh one.
        """
        self._bulletin.note_running(self._name, parcel_id)
        self._running = (parcel_id, time.monotonic(), deadline_seconds)
        try:
            return annotate_rows(self._annotator, requests)
        except DeviceLostError as error:
            self._die(parcel_id, error)
        finally:
            self._running = None

    def ping(self) -> ActorStatus:
        """Where this actor stands; answered at once, also while a batch runs. Call it in `HEALTH_GROUP`."""
        running = self._running
        if running is None:
            return ActorStatus(os.getpid())
        parcel_id, started, deadline_seconds = running
        return ActorStatus(os.getpid(), parcel_id, time.monotonic() - started, deadline_seconds)

    def fingerprint(self) -> str:
        """The annotator's fingerprint, as it was when the actor started."""
        return self._fingerprint

    def limits(self) -> BatchLimits:
        """What a batch may cost here, as the annotator found it for its device when the actor started."""
        return self._limits

    def _die(self, parcel_id: str, error: DeviceLostError) -> NoReturn:
        self._bulletin.note_last_words(parcel_id, "".join(traceback.format_exception(error)))
        os._exit(1)  # exit_actor() would tell Ray not to restart it
