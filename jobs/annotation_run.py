"""The work behind `bioner annotate`: from a user's wishes to committed shards."""

import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bioner_core.errors import ModelError, PoolError, StoreError
from bioner_core.formats.inputs import expand_inputs
from bioner_core.formats.registry import reader_named
from jobs.annotator_choice import AnnotatorChoice
from jobs.console import say
from jobs.gpus import visible_gpus
from jobs.interrupts import interrupted_exit_code, signals_deferred, take_signals_again
from jobs.progress_bar import ProgressBar
from pipelines.annotate import nothing_to_do, run_annotation
from pipelines.client_settings import ClientSettings
from pipelines.job import (
    DEFAULT_BUFFER_RECORDS,
    DEFAULT_MAX_REJECT_RATE,
    DEFAULT_SHARD_RECORDS,
    FN_API_RUNNER,
    AnnotationJob,
    LabelSetChoice,
)
from pipelines.pool_settings import LOCAL, PoolSettings
from pipelines.service import AnnotationService, ServiceFactory
from pipelines.summary import JobSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationWishes:
    """What a user asks of `bioner annotate`. `actors` and `gpus_per_actor` None mean: as fits this machine."""

    inputs: tuple[str, ...]
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
    token_budget: int = 4096
    quiet: bool = False


def annotate_inputs(wishes: AnnotationWishes) -> JobSummary:
    """Commit every shard of the inputs that is not committed yet. A finished job starts no Ray and loads no model.

    Raises:
        ConfigurationError: an option is unusable; nothing was started.
        InputError: a pattern names no file; nothing was started.
        ModelError: the model or its base is not there, or the actors hold another one.
        PoolError: the actors cannot be started.
        StoreError: the store cannot be written.
    """
    _make_store(wishes.store)
    pool_settings, client_settings = _pool_settings(wishes), ClientSettings(token_budget=wishes.token_budget)
    job = _job(wishes, actors=pool_settings.actors)
    if nothing_to_do(job):
        return run_annotation(job, service_factory=_no_service)
    wishes.annotator.check_ready()
    return _run_with_pool(wishes, job, pool_settings, client_settings)


def _make_store(store: Path) -> None:
    try:
        store.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"--store: {store} cannot be made ({error}); name a folder that you can write") from error
    if not os.access(store, os.W_OK):
        raise StoreError(f"--store: {store} cannot be written; name a folder that you can write")


def _pool_settings(wishes: AnnotationWishes) -> PoolSettings:
    gpus = visible_gpus() if wishes.ray_address == LOCAL else 0
    per_actor = wishes.gpus_per_actor if wishes.gpus_per_actor is not None else float(gpus > 0)
    actors = wishes.actors if wishes.actors is not None else max(1, gpus)
    return PoolSettings(actors=actors, gpus_per_actor=per_actor, ray_address=wishes.ray_address)


def _job(wishes: AnnotationWishes, *, actors: int) -> AnnotationJob:
    if wishes.format_name is not None:
        reader_named(wishes.format_name)
    choice = wishes.annotator
    return AnnotationJob(
        inputs=tuple(expand_inputs(wishes.inputs)),
        store=wishes.store.absolute(),
        label_sets=tuple(LabelSetChoice(one.name, one.languages) for one in choice.label_sets),
        fingerprint=choice.fingerprint(),
        format_name=wishes.format_name,
        shard_records=wishes.shard_records,
        buffer_records=DEFAULT_BUFFER_RECORDS * actors,
        max_reject_rate=wishes.max_reject_rate,
        runner=wishes.runner,
        pipeline_options=wishes.pipeline_options,
    )


def _run_with_pool(
    wishes: AnnotationWishes, job: AnnotationJob, pool_settings: PoolSettings, client_settings: ClientSettings
) -> JobSummary:
    # After an interrupt a Beam thread may call Ray once more; Ray reads this at import, and must not start anew then.
    os.environ["RAY_ENABLE_AUTO_CONNECT"] = "0"
    from pipelines.pool import start_pool
    from pipelines.ray_session import ray_session

    if not wishes.quiet:
        where = "on this machine" if wishes.ray_address == LOCAL else f"at {wishes.ray_address}"
        say(f"starting {pool_settings.actors} actor(s) on Ray {where} ...")
    with ExitStack() as opened:
        with signals_deferred():  # half-started, Ray would leave its agents behind
            opened.enter_context(ray_session(pool_settings))
        take_signals_again()  # Ray has put its own handler of SIGTERM in place
        pool = opened.enter_context(start_pool(pool_settings, wishes.annotator.spec()))
        if pool.fingerprint != job.fingerprint:
            raise ModelError(
                f"the actors hold a model with fingerprint {pool.fingerprint}, this machine has {job.fingerprint}: "
                "install the same bioner and the same model on every machine"
            )
        with ProgressBar("records", quiet=wishes.quiet) as progress:
            return _run_interruptibly(job, pool.client_factory(client_settings), progress)


def _run_interruptibly(job: AnnotationJob, service_factory: ServiceFactory, progress: ProgressBar) -> JobSummary:
    try:
        return run_annotation(job, service_factory=service_factory, progress=progress)
    except RuntimeError as error:  # Beam makes one of whatever stops it, a KeyboardInterrupt too
        if interrupted_exit_code() is not None:
            raise KeyboardInterrupt from error
        raise


def _no_service() -> AnnotationService:
    raise PoolError("the store changed while it was looked at: run the same command again")
