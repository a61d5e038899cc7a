"""Runs an annotation job as a Beam pipeline and says how it ended."""

import secrets
import time
from datetime import UTC, datetime

from bioner_core.errors import BionerError, ConfigurationError
from bioner_core.formats.inputs import public_name
from bioner_core.store.committed import committed_manifest
from bioner_core.store.layout import input_key
from bioner_core.store.reading import manifests_of_input
from pipelines.job import AnnotationJob
from pipelines.job_report import read_report, report_path, write_report
from pipelines.plan import descriptors_of, recorded_plan
from pipelines.progress import ProgressReporter, SilentProgress, reporting
from pipelines.quiet_beam import beam
from pipelines.service import ServiceFactory
from pipelines.shard_input import file_digest
from pipelines.summary import JobSummary, summarise
from pipelines.transforms import AnnotateShards


def run_annotation(
    job: AnnotationJob, *, service_factory: ServiceFactory, progress: ProgressReporter | None = None
) -> JobSummary:
    """Plan the inputs, annotate what is not committed yet, and wait for the end.

    Shards and inputs that fail are in the summary's `failures`; they stop no others. `service_factory` is called in a
    Beam worker, at the first shard that needs it. `progress` is told of each buffer when the runner works in this
    process (`FnApiRunner` with in-memory or multi-threaded workers), and of nothing otherwise.

    Raises:
        ConfigurationError: Beam knows no such runner or option.
        StoreError: the report of the run cannot be written or read.
    """
    started = time.monotonic()
    path = report_path(job.store, f"{datetime.now(UTC):%Y%m%dT%H%M%S_%fZ}-{secrets.token_hex(4)}")
    with reporting(progress or SilentProgress()) as token:
        pipeline = _new_pipeline(job)
        outcomes = pipeline | beam.Create(job.inputs) | AnnotateShards(job, service_factory, progress_token=token)
        everything = outcomes | beam.Flatten() | beam.combiners.ToList()
        everything | "Report" >> beam.Map(write_report, path=path)
        pipeline.run().wait_until_finish()
    return summarise(read_report(path), seconds=time.monotonic() - started, max_reject_rate=job.max_reject_rate)


def nothing_to_do(job: AnnotationJob) -> bool:
    """Whether an earlier run has committed all of this job, so that no model need be started for it.

    Reads each input once for its digest, and parses none. False also when that cannot be told.
    """
    return all(_is_finished(job, input_file) for input_file in job.inputs)


def _is_finished(job: AnnotationJob, input_file: str) -> bool:
    try:
        key = input_key(public_name(input_file), file_digest(input_file))
        plan = recorded_plan(job.store, key, format_name=job.format_name)
        if plan is None:
            return False
        descriptors = descriptors_of(plan, input_file, committed=manifests_of_input(job.store, key))
        return all(committed_manifest(job.store, one, fingerprint=job.run_fingerprint) for one in descriptors)
    except BionerError:
        return False  # the job itself will say what is wrong


def _new_pipeline(job: AnnotationJob) -> "beam.Pipeline":
    try:
        options = beam.options.pipeline_options.PipelineOptions(list(job.pipeline_options))
        return beam.Pipeline(runner=job.runner, options=options)
    except (ValueError, ImportError, AttributeError) as error:
        raise ConfigurationError(
            f"runner: {job.runner!r} is unusable with {list(job.pipeline_options)}: {error}"
        ) from error
