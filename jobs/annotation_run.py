"""The work behind the verbs that annotate: from a user's wishes to committed shards."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bioner_core.budget import MemoryWish
from bioner_core.errors import ModelError, PoolError, StoreError
from bioner_core.formats.inputs import expand_inputs
from bioner_core.formats.registry import reader_named
from bioner_core.store.lock import Part, StoreLock
from jobs.annotator_choice import AnnotatorChoice
from jobs.console import say
from jobs.gpus import visible_gpus
from jobs.interrupts import interrupted_exit_code, signals_deferred, take_signals_again
from jobs.progress_bar import ProgressBar
from pipelines.annotate import nothing_to_do, run_annotation
from pipelines.client_settings import ClientSettings
from pipelines.job import (
    DEFAULT_BUFFER_CHARACTERS,
    DEFAULT_BUFFER_RECORDS,
    DEFAULT_MAX_REJECT_RATE,
    DEFAULT_SHARD_RECORDS,
    FN_API_RUNNER,
    AnnotationJob,
    LabelSetChoice,
    run_fingerprint,
)
from pipelines.pool_settings import LOCAL, PoolSettings
from pipelines.service import AnnotationService, ServiceFactory
from pipelines.summary import JobSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationWishes:
    """What a user asks of a verb that annotates. `actors` and `gpus_per_actor` None mean: as fits this machine;
    `token_budget` and `memory_cap` (GB of an actor's batches) None mean: as the actors find it.

    `inputs` is empty where the verb finds them itself; `wait_seconds` is how long to wait for another job on the store;
    `carry_over` as in `AnnotationJob`.
    """

    inputs: tuple[str, ...] = ()
    store: Path
    annotator: AnnotatorChoice
    format_name: str | None = None
    actors: int | None = None
    gpus_per_actor: float | None = None
    ray_address: str = LOCAL
    runner: str = FN_API_RUNNER
    pipeline_options: tuple[str, ...] = ()
    shard_records: int = DEFAULT_SHARD_RECORDS
    max_reject_rate: float = DEFAULT_MAX_REJECT_RATE
    token_budget: int | None = None
    memory_cap: float | None = None
    quiet: bool = False
    wait_seconds: float = 0.0
    carry_over: bool = False


def annotate_inputs(wishes: AnnotationWishes) -> JobSummary:
    """Commit every shard of the inputs that is not committed yet. A finished job starts no Ray and loads no model.

    Raises:
        ConfigurationError: an option is unusable; nothing was started.
        InputError: a pattern names no file; nothing was started.
        ModelError: the model or its base is not there, or the actors hold another one.
        PoolError: the actors cannot be started.
        StoreError: the store cannot be written, or another job is at work on it.
    """
    make_store(wishes.store)
    with AnnotationSession(wishes) as session:
        job = session.job(expand_inputs(wishes.inputs))
        with open_lock(wishes, purpose="bioner annotate"):
            return session.run(job)


def make_store(store: Path) -> None:
    """Make the folder of a store, unless it is there.

    Raises:
        StoreError: it cannot be made or written.
    """
    try:
        store.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"--store: {store} cannot be made ({error}); name a folder that you can write") from error
    if not os.access(store, os.W_OK):
        raise StoreError(f"--store: {store} cannot be written; name a folder that you can write")


@contextmanager
def open_lock(
    wishes: AnnotationWishes, *, purpose: str, run_id: str = "", part: Part | None = None
) -> Iterator[StoreLock]:
    """Hold the store for the block, and say so when a dead job's lock had to be taken over.

    Raises:
        StoreError: another job is at work on the store.
    """
    lock = StoreLock(wishes.store, purpose=purpose, run_id=run_id, part=part, wait_seconds=wishes.wait_seconds)
    with lock:
        if lock.took_over and not wishes.quiet:
            say(f"took over the lock of a job that has died: {lock.took_over}")
        yield lock


class AnnotationSession:
    """Runs one job after another on one pool, which is started for the first job that needs a model.

    Raises:
        ConfigurationError: an option is unusable; nothing was started.
        ModelError: there is no such model.
    """

    def __init__(self, wishes: AnnotationWishes) -> None:
        self._wishes = wishes
        self._pool_settings = _pool_settings(wishes)
        self._client_settings = ClientSettings(token_budget=wishes.token_budget)
        self._memory = _memory_wish(wishes, self._pool_settings)
        self._label_sets = tuple(LabelSetChoice(one.name, one.languages) for one in wishes.annotator.label_sets)
        self._fingerprint = wishes.annotator.fingerprint()
        self._opened = ExitStack()
        self._service_factory: ServiceFactory | None = None
        if wishes.format_name is not None:
            reader_named(wishes.format_name)
        self.job(["any"])  # its checks are those of the options, whatever the input

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        """Stop the pool, and Ray if it was started for it."""
        return self._opened.__exit__(kind, error, traceback)

    @property
    def run_fingerprint(self) -> str:
        """That of every job of this session."""
        return run_fingerprint(self._fingerprint, self._label_sets)

    def job(self, inputs: Sequence[str]) -> AnnotationJob:
        """The job that the wishes make of these inputs."""
        wishes = self._wishes
        return AnnotationJob(
            inputs=tuple(inputs),
            store=wishes.store.absolute(),
            label_sets=self._label_sets,
            fingerprint=self._fingerprint,
            format_name=wishes.format_name,
            shard_records=wishes.shard_records,
            buffer_characters=DEFAULT_BUFFER_CHARACTERS * self._pool_settings.actors,
            buffer_records=DEFAULT_BUFFER_RECORDS * self._pool_settings.actors,
            max_reject_rate=wishes.max_reject_rate,
            runner=wishes.runner,
            pipeline_options=wishes.pipeline_options,
            carry_over=wishes.carry_over,
        )

    def annotate(self, input_file: str) -> JobSummary:
        """Run the job of one input.

        Raises:
            BionerError: as `run`.
        """
        return self.run(self.job([input_file]))

    def run(self, job: AnnotationJob) -> JobSummary:
        """Commit what is not committed yet; a finished job needs no model.

        Raises:
            ModelError: the model or its base is not there, or the actors hold another one.
            ConfigurationError: the model does not know a label set, or Beam no such runner.
            PoolError: the actors cannot be started.
            StoreError: the store cannot be written.
        """
        if nothing_to_do(job):
            return run_annotation(job, service_factory=_no_service)
        service_factory = self._connected()
        with ProgressBar("records", quiet=self._wishes.quiet) as progress:
            return _run_interruptibly(job, service_factory, progress)

    def _connected(self) -> ServiceFactory:
        if self._service_factory is None:
            self._wishes.annotator.check_ready()
            self._service_factory = self._start_pool()
        return self._service_factory

    def _start_pool(self) -> ServiceFactory:
        # After an interrupt a Beam thread may call Ray once more; Ray reads this at import, and must not start anew.
        os.environ["RAY_ENABLE_AUTO_CONNECT"] = "0"
        from pipelines.pool import start_pool
        from pipelines.ray_session import ray_session

        settings, address = self._pool_settings, self._wishes.ray_address
        if not self._wishes.quiet:
            where = "on this machine" if address == LOCAL else f"at {address}"
            say(f"starting {settings.actors} actor(s) on Ray {where} ...")
        with signals_deferred():  # half-started, Ray would leave its agents behind
            self._opened.enter_context(ray_session(settings))
        take_signals_again()  # Ray has put its own handler of SIGTERM in place
        pool = self._opened.enter_context(start_pool(settings, self._wishes.annotator.spec(self._memory)))
        if pool.fingerprint != self._fingerprint:
            raise ModelError(
                f"the actors hold a model with fingerprint {pool.fingerprint}, this machine has {self._fingerprint}: "
                "install the same bioner and the same model on every machine"
            )
        return pool.client_factory(self._client_settings)


def _pool_settings(wishes: AnnotationWishes) -> PoolSettings:
    gpus = visible_gpus() if wishes.ray_address == LOCAL else 0
    per_actor = wishes.gpus_per_actor if wishes.gpus_per_actor is not None else float(gpus > 0)
    actors = wishes.actors if wishes.actors is not None else max(1, gpus)
    return PoolSettings(actors=actors, gpus_per_actor=per_actor, ray_address=wishes.ray_address)


def _memory_wish(wishes: AnnotationWishes, settings: PoolSettings) -> MemoryWish:
    cap = None if wishes.memory_cap is None else int(wishes.memory_cap * 1e9)
    share = min(1.0, settings.gpus_per_actor) if settings.gpus_per_actor else 1.0 / settings.actors
    return MemoryWish(cap, share)


def _run_interruptibly(job: AnnotationJob, service_factory: ServiceFactory, progress: ProgressBar) -> JobSummary:
    try:
        return run_annotation(job, service_factory=service_factory, progress=progress)
    except RuntimeError as error:  # Beam makes one of whatever stops it, a KeyboardInterrupt too
        if interrupted_exit_code() is not None:
            raise KeyboardInterrupt from error
        raise


def _no_service() -> AnnotationService:
    raise PoolError("the store changed while it was looked at: run the same command again")
