"""Runs an annotation job as a Beam pipeline and says how it ended."""

import time
from contextlib import nullcontext

from bioner_core.store.history.process_identity import this_process
from pipelines.beam_run import new_pipeline, run_to_the_end, works_in_this_process
from pipelines.job import AnnotationJob
from pipelines.job_report import new_report_path, read_report, write_report_in_worker
from pipelines.pool.service import ServiceFactory
from pipelines.quiet_beam import beam
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
        launcher = str(this_process())
        everything | "Report" >> beam.Map(write_report_in_worker, path=path, finish=job.finish, launcher=launcher)
        run_to_the_end(pipeline, runner=job.runner)
    return summarise(
        read_report(path),
        seconds=time.monotonic() - started,
        max_reject_rate=job.max_reject_rate,
        document_pass=job.finish.document_pass,
    )
