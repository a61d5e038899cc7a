"""A feeder: one Beam pipeline over the shards that it is given; and how its launcher sees it, wherever it is."""

import math
import threading
import traceback
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from bioner_core.errors import PoolError
from bioner_core.process_identity import ProcessIdentity
from bioner_core.store.history.lock import holds_store, taken_here
from bioner_core.store.layout import ShardDescriptor
from pipelines.annotate import ShardWork
from pipelines.beam_run import beam, new_pipeline, run_to_the_end
from pipelines.feeders.given_shards import LEASE_SECONDS, FeederReport, GivenShards, given_shards, lent
from pipelines.job import FN_API_RUNNER, AnnotationJob
from pipelines.pool.service import ServiceFactory

_STOP_SECONDS = 10.0
"""How long the end of a feeder of this process is waited for that has nothing left to do: Beam tidies up."""


class AnnotateGiven(ShardWork):
    """A token of `lent` to nothing: takes its shards until there are no more, and tells it how each ended."""

    def process(self, element: str) -> None:
        """Annotate and commit shards as they come."""
        given = given_shards(element)
        while not given.ended:
            for outcome in self._annotated(given):
                given.tell(outcome, pool_error=self._pool_error is not None)


class Feeder:
    """Works from when it is made until it is stopped, in a thread of its own.

    It commits only as long as the job that took the lock of the store holds it. `launcher` is who gives it shards;
    where that is another process, it must also ask it often enough. Without one it is in the launcher's own process,
    and nobody replaces it.
    """

    def __init__(
        self, job: AnnotationJob, service_factory: ServiceFactory, *, launcher: ProcessIdentity | None = None
    ) -> None:
        self._job = replace(job, runner=FN_API_RUNNER, pipeline_options=())
        self._service_factory = service_factory
        holder = launcher or taken_here(job.store)
        self._given = GivenShards(
            lease_seconds=LEASE_SECONDS if launcher else math.inf,
            holds_store=partial(holds_store, job.store, holder) if holder else lambda: True,
        )
        self._thread = threading.Thread(target=self._run, name="bioner-feeder", daemon=True)
        self._thread.start()

    def exchange(self, shards: Sequence[ShardDescriptor]) -> FeederReport:
        """Take more shards, and tell how far the work is; returns at once."""
        return self._given.exchange(shards)

    def stop(self, seconds: float) -> None:
        """Begin and commit nothing more, and wait for the end of the work, but no longer than this."""
        self._given.stop()
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            with lent(self._given) as token:
                pipeline = new_pipeline(self._job)
                work = AnnotateGiven(self._job, self._service_factory, token)
                pipeline | beam.Create([token]) | beam.ParDo(work)
                run_to_the_end(pipeline, runner=FN_API_RUNNER)
        except BaseException as error:  # noqa: BLE001  the launcher is told, whatever it is: nobody else hears a thread
            self._given.close("".join(traceback.format_exception(error)))
        else:
            self._given.close()


class FeederLostError(PoolError):
    """A feeder has died, or cannot be reached any more."""


class FeederHandle(Protocol):
    """A feeder as its launcher sees it, wherever it is."""

    @property
    def is_here(self) -> bool:
        """Whether it works in this process."""
        ...

    def ask(self, shards: Sequence[ShardDescriptor]) -> None:
        """Give it more shards, and ask how far it is; not before it has answered the last time."""
        ...

    def answer(self) -> FeederReport | None:
        """The answer, once; None while it has not come.

        Raises:
            FeederLostError: the feeder is no more.
        """
        ...

    def leave(self) -> None:
        """Let it end: all that it was given has ended."""
        ...

    def end(self) -> None:
        """End it, whatever it does."""
        ...


class LocalFeeder:
    """A feeder in a thread of this process, which nobody replaces."""

    is_here = True

    def __init__(self, job: AnnotationJob, service_factory: ServiceFactory) -> None:
        self._feeder = Feeder(job, service_factory)
        self._answer: FeederReport | None = None

    def ask(self, shards: Sequence[ShardDescriptor]) -> None:
        """It answers at once."""
        self._answer = self._feeder.exchange(shards)

    def answer(self) -> FeederReport | None:
        """The answer."""
        answer, self._answer = self._answer, None
        return answer

    def leave(self) -> None:
        """Stop it."""
        self._feeder.stop(_STOP_SECONDS)

    def end(self) -> None:
        """Stop it, and do not wait: it commits nothing more, and what it waits for ends with its service."""
        self._feeder.stop(0)
