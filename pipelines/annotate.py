"""An annotation job as a Beam pipeline: inputs to shard runs, shard runs to committed shards, and how it ended.

Only descriptors travel between stages.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, NamedTuple

from bioner_core.errors import ConfigurationError, DamagedFileError, PoolError
from bioner_core.inference.batching import BatchFill
from bioner_core.process_identity import ProcessIdentity, this_process
from bioner_core.store.committed import committed_manifest, unfinished_manifest
from bioner_core.store.history.known_texts import KnownTexts
from bioner_core.store.history.lock import check_holder, taken_here
from bioner_core.store.layout import ShardDescriptor
from bioner_core.store.names import StoreNames, list_names
from bioner_core.store.sweep import sweep_shard
from pipelines.beam_run import beam, new_pipeline, run_to_the_end, works_in_this_process
from pipelines.job import AnnotationJob
from pipelines.job_report import new_report_path, read_report, write_report_in_worker
from pipelines.metrics.meters import PROCESS
from pipelines.metrics.metrics import NAMESPACE, SHARDS, fill_increases, shard_increases
from pipelines.plan import ShardRun, group_runs, plan_shards
from pipelines.pool.service import AnnotationService, ServiceFactory
from pipelines.refinish import finish_again
from pipelines.shard import ShardResult
from pipelines.shard_stream import ListedShards, ShardSource, ShardStream
from pipelines.summary import JobSummary, ShardOutcome, Status, failed_outcome, finished_outcome, summarise
from pipelines.watch.progress import ProgressReporter, SilentProgress, reporter_for, reporting
from pipelines.watch.store_follower import following

RECORDS_PER_STREAM = 20_000
"""About how many records of one Beam worker share a stream; each worker takes one stream after another."""

_FAILED = Status.FAILED.value
_SKIPPED = Status.SKIPPED.value
_COMMITTED = Status.COMMITTED.value


class ShardOutcomes(NamedTuple):
    """The three outputs of `AnnotateShards`, each a PCollection of `ShardOutcome`."""

    committed: Any
    skipped: Any
    failed: Any


class PlanInput(beam.DoFn):  # type: ignore[misc]
    """Input file to shard runs; an input that cannot be planned goes to the `failed` output and stops no other."""

    def __init__(self, job: AnnotationJob, progress_token: str) -> None:
        self._job = job
        self._progress_token = progress_token
        self._names: StoreNames | None = None
        self._texts: KnownTexts | None = None

    def process(self, element: str) -> Iterator[tuple[str, ShardRun]]:
        """Yield (id of the first shard, run) for each run of the input."""
        job = self._job
        try:
            self._names = self._names or list_names(job.store)
            self._texts = self._texts or KnownTexts(job.store)
            descriptors = plan_shards(job, element, names=self._names, texts=self._texts)
        except Exception as error:  # noqa: BLE001  the shard boundary begins here: a bad input stops no other one
            yield beam.pvalue.TaggedOutput(_FAILED, failed_outcome(error, input_file=element))
            return
        reporter_for(self._progress_token).planned(sum(descriptor.records for descriptor in descriptors))
        yield from ((run[0].shard_id, run) for run in group_runs(descriptors))


def outcome_without_model(
    job: AnnotationJob, descriptor: ShardDescriptor, *, holder: ProcessIdentity | None = None
) -> ShardOutcome | None:
    """The outcome of a shard that is committed, or is finished again from stored candidates; None: ask the model.

    A shard whose stored candidates turn out to be damaged has none: the model makes it anew.

    `holder` is as in `check_holder`.
    """
    run, decode = job.run_fingerprint, job.decode_fingerprint
    try:
        manifest = committed_manifest(job.store, descriptor, fingerprint=run)
        if manifest is not None:
            sweep_shard(job.store, manifest, replaced=descriptor.replaces)
            return finished_outcome(Status.SKIPPED, manifest)
        stored = unfinished_manifest(job.store, descriptor, fingerprint=run, decode=decode)
        if stored is None:
            return None
        check_holder(job.store, holder)
        return finished_outcome(Status.REFINISHED, finish_again(stored, descriptor, job=job))
    except DamagedFileError:
        return None
    except Exception as error:  # noqa: BLE001  the shard boundary: whatever happened is reported, with its traceback
        return failed_outcome(error, input_file=descriptor.input_file, descriptor=descriptor)


class ShardWork(beam.DoFn):  # type: ignore[misc]
    """Annotates and commits shards, in streams of the service; where they come from is for subclasses."""

    def __init__(self, job: AnnotationJob, service_factory: ServiceFactory, progress_token: str) -> None:
        self._job = job
        self._service_factory = service_factory
        self._progress_token = progress_token
        self._service: AnnotationService | None = None
        self._pool_error: PoolError | None = None

    def _annotated(self, todo: ShardSource) -> Iterator[ShardOutcome]:
        """The outcomes of the shards that one stream of the service takes from `todo`; each is counted."""
        try:
            service = self._connected()
        except Exception as error:  # noqa: BLE001  the shard boundary: the next one may reach the service
            if (descriptor := todo.take()) is not None:
                yield self._failed(error, descriptor)
            return
        done = partial(reporter_for(self._progress_token).done, skipped=False)
        for end in ShardStream(self._job, service, done).run(todo):
            if isinstance(end.outcome, Exception):
                yield self._failed(end.outcome, end.descriptor)
            else:
                _count(end.outcome, end.fill)
                yield finished_outcome(Status.COMMITTED, end.outcome.manifest, fill=end.fill)

    def _failed(self, error: Exception, descriptor: ShardDescriptor) -> ShardOutcome:
        if isinstance(error, PoolError) and self._pool_error is None:
            self._pool_error = error
        outcome = failed_outcome(error, input_file=descriptor.input_file, descriptor=descriptor)
        count_outcome(outcome)
        return outcome

    def _connected(self) -> AnnotationService:
        """Connect at the first shard that needs it, so that a finished job needs no service at all."""
        if self._pool_error is not None:  # a broken pool fails every shard: do not wait for it again and again
            raise PoolError(f"not tried, since an earlier shard found the pool broken: {self._pool_error}")
        if self._service is None:
            self._service = self._service_factory()
        return self._service


class AnnotateRuns(ShardWork):
    """Shard runs to one `ShardOutcome` per shard. The shard is a failure boundary: one that fails stops no other.

    It commits only as long as `holder` (see `check_holder`) holds the store.
    """

    def __init__(
        self, job: AnnotationJob, service_factory: ServiceFactory, progress_token: str, holder: ProcessIdentity | None
    ) -> None:
        super().__init__(job, service_factory, progress_token)
        self._holder = holder

    def process(self, element: Sequence[ShardRun]) -> Iterator[ShardOutcome]:
        """Yield the outcome of each shard of the runs; committed ones on the main output."""
        descriptors = [descriptor for run in element for descriptor in run]
        for outcome in self._outcomes(sorted(descriptors, key=_reading_order)):
            if outcome.status in (Status.COMMITTED, Status.REFINISHED):
                yield outcome
            else:
                yield beam.pvalue.TaggedOutput(outcome.status.value, outcome)

    def _outcomes(self, descriptors: Sequence[ShardDescriptor]) -> Iterator[ShardOutcome]:
        todo = ListedShards([], check=partial(check_holder, self._job.store, self._holder))
        for descriptor in descriptors:
            outcome = outcome_without_model(self._job, descriptor, holder=self._holder)
            if outcome is None:
                todo.left.append(descriptor)
                continue
            count_outcome(outcome)
            if outcome.status is not Status.FAILED:
                skipped = outcome.status is Status.SKIPPED
                reporter_for(self._progress_token).done(descriptor.records, skipped=skipped)
            yield outcome
        while not todo.ended:
            yield from self._annotated(todo)


class AnnotateShards(beam.PTransform):  # type: ignore[misc]
    """A PCollection of input files (str) to `ShardOutcomes`.

    The grouping by shard spreads the runs over all workers, and makes one of inputs that are named twice. It is made in
    the process that has taken the lock of the store: workers commit only as long as that is held.
    """

    def __init__(self, job: AnnotationJob, service_factory: ServiceFactory, *, progress_token: str = "") -> None:
        super().__init__()
        self._job = job
        self._service_factory = service_factory
        self._progress_token = progress_token
        self._holder = taken_here(job.store)

    @beam.typehints.no_annotations  # type: ignore[untyped-decorator]  # Beam has no word for a tuple of outputs
    def expand(self, inputs: Any) -> ShardOutcomes:
        """Plan, spread, annotate."""
        planned = inputs | "Plan" >> beam.ParDo(PlanInput(self._job, self._progress_token)).with_outputs(
            _FAILED, main="runs"
        )
        outcomes = (
            planned.runs
            | "Spread" >> beam.GroupByKey()
            | "Once" >> beam.Map(_first_of_group)
            | "Join" >> _join_runs()
            | "Annotate"
            >> beam.ParDo(
                AnnotateRuns(self._job, self._service_factory, self._progress_token, self._holder)
            ).with_outputs(_SKIPPED, _FAILED, main=_COMMITTED)
        )
        failed = (planned[_FAILED], outcomes[_FAILED]) | "Failures" >> beam.Flatten()
        return ShardOutcomes(outcomes[_COMMITTED], outcomes[_SKIPPED], failed)


def _join_runs() -> Any:
    """Runs that one worker has anyway go through one stream of the service, small files too, so that no actor waits
    without work between them; it is cut now and then, so that a worker's share is not one piece."""
    return beam.BatchElements(
        min_batch_size=RECORDS_PER_STREAM, max_batch_size=RECORDS_PER_STREAM, element_size_fn=_records_of_run
    )


def _reading_order(descriptor: ShardDescriptor) -> tuple[str, int]:
    """In this order each input is read in one pass."""
    return descriptor.input_file, descriptor.first


def _records_of_run(run: ShardRun) -> int:
    return max(1, sum(descriptor.records for descriptor in run))


def _first_of_group(group: tuple[str, Iterable[ShardRun]]) -> ShardRun:
    return next(iter(group[1]))


def _count(result: ShardResult, fill: BatchFill) -> None:
    counts = result.manifest.counts
    shard = shard_increases(counts, result.reject_reasons)
    PROCESS.add_all(shard)
    for one in (*shard, *fill_increases(fill)):  # `PROCESS` has the fill already: the client counts each batch there
        beam.metrics.Metrics.counter(NAMESPACE, one.metric.beam_name(one.value)).inc(one.amount)
    beam.metrics.Metrics.distribution(NAMESPACE, "shard_milliseconds").update(int(result.manifest.seconds * 1000))
    beam.metrics.Metrics.distribution(NAMESPACE, "mentions_per_shard").update(counts.mentions)


def count_outcome(outcome: ShardOutcome) -> None:
    """Count a shard that was skipped, finished again or failed; `_count` counts those that were annotated."""
    PROCESS.add(SHARDS, 1, outcome.status.value)
    beam.metrics.Metrics.counter(NAMESPACE, SHARDS.beam_name(outcome.status.value)).inc()


def run_annotation(
    job: AnnotationJob, *, service_factory: ServiceFactory, progress: ProgressReporter | None = None
) -> JobSummary:
    """Plan the inputs, annotate what is not committed yet, and wait for the end.

    Shards and inputs that fail are in the summary's `failures`; they stop no others. `service_factory` is called in a
    Beam worker, at the first shard that needs it. `progress` is told of each buffer when the runner works in this
    process (see `works_in_this_process`), and of each shard that appears in the store otherwise.

    Raises:
        ConfigurationError: the job has no inputs, or Beam knows no such runner or option.
        RunnerError: the runner cannot be reached, or did not finish the job.
        StoreError: the report of the run cannot be written or read.
    """
    if not job.inputs:
        raise ConfigurationError("inputs: is empty; name at least one file or URL")
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
    report = read_report(path)
    return summarise(
        report.outcomes,
        skipped=report.skipped,
        seconds=time.monotonic() - started,
        max_reject_rate=job.max_reject_rate,
        document_pass=job.finish.document_pass,
    )
