"""What is measured, under one set of names: on a Prometheus page, among Ray's own metrics, and as Beam counters.

A name here is bare (`documents`). Prometheus sees it as `bioner_documents_total`, Ray exports the same with its own
prefix `ray_`, and Beam has a counter `documents` in the namespace `bioner`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bioner_core.inference.batching import BatchFill
from bioner_core.records import RejectReason
from bioner_core.store.manifest import Counts

NAMESPACE = "bioner"


class Kind(StrEnum):
    """How a metric behaves: it only grows, it goes up and down, or it sorts what it sees into buckets."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Origin(StrEnum):
    """Who measures: whoever commits a shard, a client of the pool, an actor, or the launcher of the job."""

    SHARD = "shard"
    CLIENT = "client"
    ACTOR = "actor"
    LAUNCHER = "launcher"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; `label` is the name of its only label, empty if it has none; `buckets` are upper bounds.

    `values` are those of a counter's label that are known beforehand: each has a series from the start, at 0. An
    increase is a difference, so of a series that first appears at 3 Prometheus would see none.
    """

    name: str
    kind: Kind
    origin: Origin
    help: str
    label: str = ""
    buckets: tuple[float, ...] = ()
    values: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """The name without the ending that Prometheus gives a counter."""
        return f"{NAMESPACE}_{self.name}"

    @property
    def series(self) -> tuple[str, ...]:
        """The names of its series on a Prometheus page, the first one its own."""
        if self.kind is Kind.COUNTER:
            return (f"{self.full_name}_total",)
        if self.kind is Kind.HISTOGRAM:
            return (self.full_name, *(f"{self.full_name}_{part}" for part in ("bucket", "count", "sum")))
        return (self.full_name,)

    def beam_name(self, value: str = "") -> str:
        """The name of the Beam counter for a value of the label; Beam's counters have no labels."""
        return f"{self.name}.{value}" if value else self.name


class JobPhase(StrEnum):
    """What a job is doing: all that comes before it holds the store, annotating, the snapshot, the links."""

    WAIT = "wait"
    ANNOTATE = "annotate"
    SNAPSHOT = "snapshot"
    LINK = "link"


_OUTCOMES = ("annotated", "unchanged", "deleted", "rejected")
_STATUSES = ("committed", "refinished", "skipped", "failed")
"""Those of `pipelines.summary.Status`, which stands above this module."""


def _of_shards(name: str, words: str, label: str = "", *, values: Iterable[str] = ()) -> Metric:
    said = f"{words}, of shards that were committed"
    return Metric(name, Kind.COUNTER, Origin.SHARD, said, label, values=tuple(values))


DOCUMENTS = _of_shards("documents", "Documents with their mentions, computed or carried over")
RECORDS = _of_shards("records", "Records of the inputs, by what became of them", "outcome", values=_OUTCOMES)
SENTENCES = _of_shards("sentences", "Sentences that were split for the model")
ROWS = _of_shards("rows", "Pairs of a sentence and a label set that were sent to the model")
MENTIONS = _of_shards("mentions", "Mention candidates")
MENTIONS_ACCEPTED = _of_shards("mentions_accepted", "Mentions that the selector accepted")
REJECTS = _of_shards("rejects", "Rejects of records and of rows, by reason", "reason", values=RejectReason)
SHARDS = Metric("shards", Kind.COUNTER, Origin.SHARD, "Shards by how they ended", "status", values=_STATUSES)

TOKENS = Metric("tokens", Kind.COUNTER, Origin.CLIENT, "Estimated tokens in the batches that were made")
PADDING_TOKENS = Metric("padding_tokens", Kind.COUNTER, Origin.CLIENT, "Estimated tokens of padding in those batches")
BATCH_FILL = Metric(
    "batch_fill",
    Kind.HISTOGRAM,
    Origin.CLIENT,
    "Share of a batch that is no padding, from 0 to 1",
    buckets=(0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0),
)
QUEUE_DEPTH = Metric("queue_depth", Kind.GAUGE, Origin.CLIENT, "Batches that are made and wait for an actor")
BATCH_SECONDS = Metric(
    "batch_seconds",
    Kind.HISTOGRAM,
    Origin.CLIENT,
    "Seconds from the sending of a batch to its answer",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0),
)

ACTOR_BUSY_SECONDS = Metric(
    "actor_busy_seconds", Kind.COUNTER, Origin.ACTOR, "Seconds in which an actor ran a batch", "actor"
)

ACTORS = Metric("actors", Kind.GAUGE, Origin.LAUNCHER, "Actors of the pool by what they do", "state")
JOB_RUNNING = Metric("job_running", Kind.GAUGE, Origin.LAUNCHER, "1 while the job runs, 0 once it has ended", "command")
JOB_PHASE = Metric(
    "job_phase", Kind.GAUGE, Origin.LAUNCHER, "1 for what the job is doing, 0 for what it is not", "phase"
)
JOB_EXIT_CODE = Metric(
    "job_exit_code", Kind.GAUGE, Origin.LAUNCHER, "Exit code of the job; there is none while it runs", "command"
)
JOB_END_TIMESTAMP = Metric(
    "job_end_timestamp_seconds", Kind.GAUGE, Origin.LAUNCHER, "When the job ended, in seconds since 1970", "command"
)
SNAPSHOT_TIMESTAMP = Metric(
    "snapshot_timestamp_seconds",
    Kind.GAUGE,
    Origin.LAUNCHER,
    "When the newest snapshot of the job's store was made, in seconds since 1970",
    "command",
)

METRICS = (
    DOCUMENTS,
    RECORDS,
    SENTENCES,
    ROWS,
    MENTIONS,
    MENTIONS_ACCEPTED,
    REJECTS,
    SHARDS,
    TOKENS,
    PADDING_TOKENS,
    BATCH_FILL,
    QUEUE_DEPTH,
    BATCH_SECONDS,
    ACTOR_BUSY_SECONDS,
    ACTORS,
    JOB_RUNNING,
    JOB_PHASE,
    JOB_EXIT_CODE,
    JOB_END_TIMESTAMP,
    SNAPSHOT_TIMESTAMP,
)
"""Every metric, in the order of the documentation."""


@dataclass(frozen=True, slots=True)
class Increase:
    """What a counter grows by; `value` is that of its label."""

    metric: Metric
    amount: int
    value: str = ""


def fill_increases(fill: BatchFill) -> list[Increase]:
    """What batches add to the counters."""
    return [Increase(TOKENS, fill.tokens), Increase(PADDING_TOKENS, fill.slots - fill.tokens)]


def shard_increases(counts: Counts, reject_reasons: Mapping[str, int]) -> list[Increase]:
    """What a committed shard adds to the counters."""
    return [
        Increase(DOCUMENTS, counts.annotated + counts.unchanged),
        *(Increase(RECORDS, getattr(counts, name), name) for name in _OUTCOMES),
        Increase(SENTENCES, counts.sentences),
        Increase(ROWS, counts.rows),
        Increase(MENTIONS, counts.mentions),
        Increase(MENTIONS_ACCEPTED, counts.mentions_accepted),
        *(Increase(REJECTS, number, reason) for reason, number in reject_reasons.items()),
        Increase(SHARDS, 1, "committed"),
    ]
