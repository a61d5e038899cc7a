"""The work behind `bioner annotate`: from a user's wishes to committed shards."""

import os
from dataclasses import dataclass
from pathlib import Path

from bioner_core.errors import ModelError, PoolError
from bioner_core.formats.inputs import expand_inputs
from bioner_core.formats.registry import reader_named
from jobs.annotator_choice import AnnotatorChoice
from jobs.console import say
from jobs.gpus import visible_gpus
from jobs.progress_bar import ProgressBar
from pipelines.annotate import nothing_to_do, run_annotation
from pipelines.client_settings import ClientSettings
from pipelines.job import DEFAULT_BUFFER_RECORDS, AnnotationJob, LabelSetChoice
from pipelines.pool_settings import LOCAL, PoolSettings
from pipelines.service import AnnotationService
from pipelines.summary import JobSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationWishes:
    """What a user asks of `bioner annotate`. `actors` and `gpus_per_actor` None mean: as fits this machine."""

    inputs: tuple[str, ...]
    store: Path
    annotator: AnnotatorChoice
    format_name: str | None
    actors: int | None
    gpus_per_actor: float | None
    ray_address: str
    runner: str
    pipeline_options: tuple[str, ...]
    shard_records: int
    max_reject_rate: float
    token_budget: int
    quiet: bool


def annotate_inputs(wishes: AnnotationWishes) -> JobSummary:
    """Commit every shard of the inputs that is not committed yet. A finished job starts no Ray and loads no model.

    Raises:
        ConfigurationError: an option is unusable; nothing was started.
        InputError: a pattern names no file; nothing was started.
        ModelError: the model or its base is not there, or the actors hold another one.
        PoolError: the actors cannot be started.
        StoreError: the report of the run cannot be kept in the store.
    """
    pool_settings, client_settings = _pool_settings(wishes), ClientSettings(token_budget=wishes.token_budget)
    job = _job(wishes, actors=pool_settings.actors)
    if nothing_to_do(job):
        return run_annotation(job, service_factory=_no_service)
    wishes.annotator.check_ready()
    return _run_with_pool(wishes, job, pool_settings, client_settings)


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

    if not wishes.quiet:
        where = "on this machine" if wishes.ray_address == LOCAL else f"at {wishes.ray_address}"
        say(f"starting {pool_settings.actors} actor(s) on Ray {where} ...")
    with start_pool(pool_settings, wishes.annotator.spec()) as pool:
        if pool.fingerprint != job.fingerprint:
            raise ModelError(
                f"the actors hold a model with fingerprint {pool.fingerprint}, this machine one with {job.fingerprint}: "
                "install the same bioner and the same model on every machine"
            )
        with ProgressBar("records", quiet=wishes.quiet) as progress:
            return run_annotation(job, service_factory=pool.client_factory(client_settings), progress=progress)


def _no_service() -> AnnotationService:
    raise PoolError("the store changed while it was looked at: run the same command again")
