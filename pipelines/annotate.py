"""Runs an annotation job as a Beam pipeline and says how it ended."""

import time
from contextlib import nullcontext

from bioner_core.errors import BionerError
from bioner_core.formats.inputs import public_name
from bioner_core.store.committed import committed_manifest
from bioner_core.store.layout import input_key
from bioner_core.store.reading import manifests_of_input
from pipelines.beam_run import new_pipeline, run_to_the_end, works_in_this_process
from pipelines.job import AnnotationJob
from pipelines.job_report import new_report_path, read_report, write_report
from pipelines.plan import descriptors_of, recorded_plan
from pipelines.pool.service import ServiceFactory
from pipelines.quiet_beam import beam
from pipelines.shard_input import file_digest
from pipelines.summary import JobSummary, summarise
from pipelines.transforms import AnnotateShards
from pipelines.watch.progress import ProgressReporter, SilentProgress, reporting
from pipelines.watch.store_follower import following


def run_annotation(
    job: AnnotationJob, *, service_factory: ServiceFactory, progress: ProgressReporter | None = None
) -> JobSummary:
    """Plan the inputs, annotate what is not committed yet, and wait for the end.

    Shards and inputs that fail are in the summary's `failures`; they stop no others. `service_factory` is called in a
    Beam worker, at the first shard that needs it. `progress` is told of each buffer when the runner works in this
    process (see `works_in_this_process`), and of each shard that appears in the store otherwise.

    Raises:
        ConfigurationError: Beam knows no such runner or option.
        RunnerError: the runner cannot be reached, or did not finish the job.
        StoreError: the report of the run cannot be written or read.
    """
    started = time.monotonic()
    path = new_report_path(job.store)
    reporter = progress or SilentProgress()
    elsewhere = nullcontext() if works_in_this_process(job) else following(job, reporter)
    with reporting(reporter) as token, elsewhere:
        pipeline = new_pipeline(job)
        outcomes = pipeline | beam.Create(job.inputs) | AnnotateShards(job, service_factory, progress_token=token)
        everything = outcomes | beam.Flatten() | beam.combiners.ToList()
        everything | "Report" >> beam.Map(write_report, path=path)
        run_to_the_end(pipeline, runner=job.runner)
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
