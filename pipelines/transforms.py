"""The Beam side: inputs to shard runs, shard runs to committed shards. Only descriptors travel between stages."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from bioner_core.errors import PoolError
from bioner_core.store.committed import committed_manifest
from bioner_core.store.layout import ShardDescriptor
from bioner_core.store.manifest import Manifest
from bioner_core.store.sweep import sweep_shard
from pipelines.carry_over import plan_carry_over
from pipelines.job import AnnotationJob
from pipelines.outcome import ShardOutcome, Status, failed_outcome, finished_outcome
from pipelines.plan import ShardRun, group_runs, plan_input
from pipelines.progress import reporter_for
from pipelines.quiet_beam import beam
from pipelines.service import AnnotationService, ServiceFactory, fill_so_far
from pipelines.shard import ShardResult, annotate_shard
from pipelines.shard_input import ShardInput

METRICS_NAMESPACE = "bioner"

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

    def process(self, element: str) -> Iterator[tuple[str, ShardRun]]:
        """Yield (id of the first shard, run) for each run of the input."""
        job = self._job
        try:
            descriptors = plan_input(
                element, store=job.store, shard_records=job.shard_records, format_name=job.format_name
            )
            if job.carry_over:
                plan_carry_over(job.store, descriptors, fingerprint=job.run_fingerprint)
        except Exception as error:  # noqa: BLE001  the shard boundary begins here: a bad input stops no other one
            yield beam.pvalue.TaggedOutput(_FAILED, failed_outcome(error, input_file=element))
            return
        reporter_for(self._progress_token).planned(sum(descriptor.records for descriptor in descriptors))
        yield from ((run[0].shard_id, run) for run in group_runs(descriptors))


class AnnotateRun(beam.DoFn):  # type: ignore[misc]
    """Shard run to one `ShardOutcome` a shard. The shard is a failure boundary: one that fails stops no other."""

    def __init__(self, job: AnnotationJob, service_factory: ServiceFactory, progress_token: str) -> None:
        self._job = job
        self._service_factory = service_factory
        self._progress_token = progress_token
        self._service: AnnotationService | None = None
        self._pool_error: PoolError | None = None

    def process(self, element: ShardRun) -> Iterator[ShardOutcome]:
        """Yield the outcome of each shard of the run, in order; committed ones on the main output."""
        with ShardInput() as source:
            for descriptor in element:
                outcome = self._outcome(descriptor, source)
                committed = outcome.status is Status.COMMITTED
                yield outcome if committed else beam.pvalue.TaggedOutput(outcome.status.value, outcome)

    def _outcome(self, descriptor: ShardDescriptor, source: ShardInput) -> ShardOutcome:
        try:
            return self._settled(descriptor, source)
        except Exception as error:  # noqa: BLE001  the shard boundary: whatever happened is reported, with its traceback
            source.close()
            if isinstance(error, PoolError) and self._pool_error is None:
                self._pool_error = error
            return failed_outcome(error, input_file=descriptor.input_file, descriptor=descriptor)

    def _settled(self, descriptor: ShardDescriptor, source: ShardInput) -> ShardOutcome:
        done = committed_manifest(self._job.store, descriptor, fingerprint=self._job.run_fingerprint)
        if done is not None:
            return self._skipped(descriptor, done)
        service = self._connected()
        before = fill_so_far(service)
        result = annotate_shard(
            descriptor,
            source.records(descriptor),
            job=self._job,
            service=service,
            on_records=lambda records: reporter_for(self._progress_token).done(records, skipped=False),
        )
        _count(result)
        return finished_outcome(Status.COMMITTED, result.manifest, fill=fill_so_far(service) - before)

    def _skipped(self, descriptor: ShardDescriptor, manifest: Manifest) -> ShardOutcome:
        sweep_shard(self._job.store, manifest, replaced=descriptor.replaces)
        reporter_for(self._progress_token).done(descriptor.records, skipped=True)
        return finished_outcome(Status.SKIPPED, manifest)

    def _connected(self) -> AnnotationService:
        """Connect at the first shard that needs it, so that a finished job needs no service at all."""
        if self._pool_error is not None:  # a broken pool fails every shard: do not wait for it again and again
            raise PoolError(f"not tried, since an earlier shard found the pool broken: {self._pool_error}")
        if self._service is None:
            self._service = self._service_factory()
        return self._service


class AnnotateShards(beam.PTransform):  # type: ignore[misc]
    """A PCollection of input files (str) to `ShardOutcomes`.

    The grouping by shard spreads the runs over all workers, and makes one of inputs that are named twice.
    """

    def __init__(self, job: AnnotationJob, service_factory: ServiceFactory, *, progress_token: str = "") -> None:
        super().__init__()
        self._job = job
        self._service_factory = service_factory
        self._progress_token = progress_token

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
            | "Annotate"
            >> beam.ParDo(AnnotateRun(self._job, self._service_factory, self._progress_token)).with_outputs(
                _SKIPPED, _FAILED, main=_COMMITTED
            )
        )
        failed = (planned[_FAILED], outcomes[_FAILED]) | "Failures" >> beam.Flatten()
        return ShardOutcomes(outcomes[_COMMITTED], outcomes[_SKIPPED], failed)


def _first_of_group(group: tuple[str, Iterable[ShardRun]]) -> ShardRun:
    return next(iter(group[1]))


def _count(result: ShardResult) -> None:
    counts = result.manifest.counts
    for name in ("records_in", "annotated", "unchanged", "deleted", "rejected", "sentences", "rows", "mentions"):
        beam.metrics.Metrics.counter(METRICS_NAMESPACE, name).inc(getattr(counts, name))
    for reason, number in result.reject_reasons.items():
        beam.metrics.Metrics.counter(METRICS_NAMESPACE, f"rejects.{reason}").inc(number)
    beam.metrics.Metrics.distribution(METRICS_NAMESPACE, "shard_milliseconds").update(
        int(result.manifest.seconds * 1000)
    )
    beam.metrics.Metrics.distribution(METRICS_NAMESPACE, "mentions_per_shard").update(counts.mentions)
