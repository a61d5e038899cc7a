"""Rows and documents that were rejected for a reason that may pass are annotated again, each shard in its own place.

A shard is read from its input once more, and committed over itself; what it holds already costs no model call. A kill
leaves the old shard or the new one.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bioner_core.errors import PoolError
from bioner_core.formats.input_digests import file_digest
from bioner_core.formats.inputs import public_name
from bioner_core.inference.document_rows import ANNOTATE_STAGE
from bioner_core.records import RejectReason
from bioner_core.store.history.lock import check_holder, taken_here
from bioner_core.store.layout import ShardDescriptor, Store, input_key, input_key_of
from bioner_core.store.manifest import Manifest
from bioner_core.store.reading import shard_batches, shown_manifests
from pipelines.job import AnnotationJob
from pipelines.known_rows import KnownRows, known_rows
from pipelines.pool.service import AnnotationService
from pipelines.shard import OpenShard, ShardResult
from pipelines.shard_input import ShardInput
from pipelines.shard_stream import buffers
from pipelines.summary import ShardOutcome, Status, failed_outcome, finished_outcome

PASSING_REASONS = (
    RejectReason.ACTOR_DIED,
    RejectReason.DEADLINE,
    RejectReason.OUT_OF_MEMORY,
    RejectReason.ANNOTATION_FAILED,
)
"""What another machine, more memory or a repaired model may do away with. Faults of a record itself are not among them:
its input must change, and is another input then."""


@dataclass(frozen=True, slots=True)
class RejectTally:
    """Rejected documents, rejected rows of documents, and both by reason."""

    documents: int = 0
    rows: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "RejectTally") -> "RejectTally":
        """The sums."""
        return RejectTally(self.documents + other.documents, self.rows + other.rows, self.reasons + other.reasons)


@dataclass(frozen=True, slots=True)
class FaultyShard:
    """A committed shard with rejects that are to be tried again."""

    manifest: Manifest
    rejects: RejectTally


@dataclass(frozen=True, slots=True)
class Retried:
    """How the shards ended, and how many rows were sent to the model."""

    outcomes: tuple[ShardOutcome, ...]
    rows_asked: int


def faulty_shards(store: Store, reasons: Collection[RejectReason]) -> list[FaultyShard]:
    """The shards in which annotation failed for one of these reasons; reads the codes of their rejects.

    Raises:
        StoreError: a manifest or a table of rejects is damaged or of a newer schema version.
    """
    found = (FaultyShard(one, _tally(store, one, reasons)) for one in shown_manifests(store) if _has_rejects(one))
    return [one for one in found if one.rejects.documents or one.rejects.rows]


def located_inputs(places: Sequence[str]) -> dict[str, str]:
    """Where inputs are now, by input key; reads each file for its digest.

    Raises:
        InputError: one cannot be read.
    """
    return {input_key(public_name(place), file_digest(place)): place for place in places}


def retry_shards(
    shards: Iterable[FaultyShard],
    *,
    job: AnnotationJob,
    service: AnnotationService,
    reasons: Collection[RejectReason],
    places: Mapping[str, str],
    on_shard: Callable[[], None] = lambda: None,
) -> Retried:
    """Annotate again what was rejected in these shards, one after another; `job` has the fingerprint that they have.

    `places` says by input key where an input is now; the others are where they were. A shard that fails stays as it
    was, and stops no other, but a pool without actors stops all.
    """
    outcomes: list[ShardOutcome] = []
    asked = 0
    broken: PoolError | None = None
    for one in shards:
        descriptor = _descriptor(one.manifest, places)
        started = time.monotonic()
        try:
            if broken is not None:
                raise PoolError(f"not tried, since an earlier shard found the pool broken: {broken}")
            rows = KnownRows(known_rows(job.store, one.manifest, label_sets=job.label_sets, without=reasons), service)
            result = _annotated(descriptor, job, rows, started=started - one.manifest.seconds)
            asked += rows.rows_asked
            outcomes.append(finished_outcome(Status.COMMITTED, result.manifest))
        except Exception as error:  # noqa: BLE001  the shard boundary: whatever happened is reported, with its traceback
            broken = error if isinstance(error, PoolError) and broken is None else broken
            outcomes.append(failed_outcome(error, input_file=descriptor.input_file, descriptor=descriptor))
        on_shard()
    return Retried(tuple(outcomes), asked)


def _annotated(descriptor: ShardDescriptor, job: AnnotationJob, rows: KnownRows, *, started: float) -> ShardResult:
    """The shard, committed anew; the seconds of work on it count from `started`, so those before count on."""
    shard, holder = OpenShard(descriptor, job, opened=started), taken_here(job.store)
    with ShardInput() as source:
        for records in buffers(source.records(descriptor), job, starts_input=False):
            buffer = shard.plan(records)
            shard.settle(buffer, rows.annotate(buffer.requests()))
    check_holder(job.store, holder)
    return shard.commit()


def _has_rejects(manifest: Manifest) -> bool:
    return manifest.counts.rejected > 0 or manifest.counts.row_rejects > 0


def _tally(store: Store, manifest: Manifest, reasons: Collection[RejectReason]) -> RejectTally:
    wanted = {reason.value for reason in reasons}
    tally = RejectTally()
    for batch in shard_batches(store, manifest, table="rejects", columns=["stage", "reason", "sentence_index"]):
        for row in batch.to_pylist():
            if row["stage"] == ANNOTATE_STAGE and row["reason"] in wanted:
                whole = row["sentence_index"] is None
                tally += RejectTally(int(whole), int(not whole), Counter([row["reason"]]))
    return tally


def _descriptor(manifest: Manifest, places: Mapping[str, str]) -> ShardDescriptor:
    return ShardDescriptor(
        shard_id=manifest.shard_id,
        source=manifest.source,
        input_file=places.get(input_key_of(manifest.shard_id), manifest.input_file),
        format_name=manifest.format_name,
        first=manifest.first,
        last=manifest.last,
        input_digest=manifest.input_digest,
    )
