"""How a run ended: what became of each shard, the sums of all, and the exit code that follows from them."""

import traceback
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from bioner_core.errors import EXIT_COMMITTED, EXIT_FAILED, EXIT_TOO_MANY_REJECTS
from bioner_core.formats.inputs import public_name
from bioner_core.inference.batching import BatchFill
from bioner_core.store.layout import ShardDescriptor, input_key_of
from bioner_core.store.manifest import Counts, Manifest, total
from pipelines.pool.load import RunLoad


class Status(StrEnum):
    """How a shard ended: committed now, committed by an earlier run, or not at all.

    Refinished ones are committed now too, from candidates that an earlier run decoded.
    """

    COMMITTED = "committed"
    REFINISHED = "refinished"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ShardOutcome:
    """The end of one shard. `shard_id` is empty when its input could not even be planned.

    `input_file` is the public name; `message` and `traceback` are empty unless it failed. `batch_tokens` and
    `batch_slots` are the `BatchFill` of the batches that this run made of the shard.
    """

    status: Status
    shard_id: str
    input_file: str
    counts: Counts = field(default_factory=Counts)
    seconds: float = 0.0
    message: str = ""
    traceback: str = ""
    batch_tokens: int = 0
    batch_slots: int = 0

    @property
    def failure(self) -> str:
        """Where it failed and why, in one line that names the place once."""
        place = self.shard_id or self.input_file
        return self.message if self.message.startswith(f"{place}: ") else f"{place}: {self.message}"


@dataclass(frozen=True, slots=True)
class SkippedShards:
    """The shards of one input that an earlier run had committed: how many, and the sums of their counts."""

    input_key: str
    shards: int
    counts: Counts


def skipped_shards(outcomes: Iterable[ShardOutcome]) -> list[SkippedShards]:
    """Those of these outcomes that were skipped, by input."""
    found: defaultdict[str, list[Counts]] = defaultdict(list)
    for one in outcomes:
        if one.status is Status.SKIPPED:
            found[input_key_of(one.shard_id)].append(one.counts)
    return [SkippedShards(key, len(counts), total(counts)) for key, counts in sorted(found.items())]


def finished_outcome(status: Status, manifest: Manifest, *, fill: BatchFill | None = None) -> ShardOutcome:
    """The outcome of a shard that is committed, now, with batches of this fill, or earlier."""
    made = fill or BatchFill()
    return ShardOutcome(
        status,
        manifest.shard_id,
        manifest.input_file,
        manifest.counts,
        manifest.seconds,
        batch_tokens=made.tokens,
        batch_slots=made.slots,
    )


def failed_outcome(error: Exception, *, input_file: str, descriptor: ShardDescriptor | None = None) -> ShardOutcome:
    """The outcome of a shard, or of a whole input that could not be planned, with the traceback of `error`."""
    return ShardOutcome(
        Status.FAILED,
        descriptor.shard_id if descriptor else "",
        public_name(input_file),
        message=str(error) or type(error).__name__,
        traceback="".join(traceback.format_exception(error)),
    )


@dataclass(frozen=True, slots=True)
class JobSummary:
    """What a run did. `counts` are the sums of the manifests of all its shards, those of earlier runs included.

    `shards_refinished` were finished again from stored candidates, without the model; `document_pass` says whether that
    pass ran. `rows_sent` counts only what this run sent to the model; `seconds` is the wall time of this run; `padding`
    is the share of its batches' estimated tokens that are padding, from 0 to 1. `unread` are files of folders that no
    reader knows: they are no input, and are named so that no dump goes missing unseen. `precision` is what the model
    computed in, and why; empty where no model was started.
    """

    counts: Counts
    shards_committed: int
    shards_skipped: int
    shards_failed: int
    rows_sent: int
    padding: float
    seconds: float
    max_reject_rate: float
    failures: tuple[ShardOutcome, ...]
    unread: tuple[str, ...] = ()
    load: RunLoad = field(default_factory=RunLoad)
    shards_refinished: int = 0
    document_pass: bool = True
    precision: str = ""

    @property
    def reject_rate(self) -> float:
        """The share of rejected records, or that of rejected rows if it is higher; 0 when there is nothing."""
        return reject_rate(self.counts)

    def exit_code(self) -> int:
        """0: all is committed, or there was nothing to do; 1: a shard failed; 3: more rejects than allowed."""
        if self.shards_failed:
            return EXIT_FAILED
        return EXIT_TOO_MANY_REJECTS if self.reject_rate > self.max_reject_rate else EXIT_COMMITTED

    def as_json(self) -> dict[str, Any]:
        """A flat object for `--json`: the counts and the load at the top level, failures without their tracebacks."""
        flat = asdict(self)
        counts: dict[str, Any] = flat.pop("counts") | flat.pop("load")
        failures = [
            {"shard_id": one.shard_id, "input_file": one.input_file, "message": one.message} for one in self.failures
        ]
        return counts | flat | {"reject_rate": self.reject_rate, "failures": failures}


def reject_rate(counts: Counts) -> float:
    """The share of rejected records, or that of rejected rows if it is higher; 0 when there is nothing.

    Records that a file's unread rest is reckoned to hold count as rejected.
    """
    lost, records = counts.rejected + counts.lost_records, counts.records_in + counts.lost_records
    return max(lost / max(1, records), counts.row_rejects / max(1, counts.rows))


def summarise(
    outcomes: Sequence[ShardOutcome],
    *,
    seconds: float,
    max_reject_rate: float,
    document_pass: bool = True,
    skipped: Sequence[SkippedShards] = (),
) -> JobSummary:
    """Add up the outcomes of a run that took `seconds` of wall time; `skipped` are shards that no outcome names."""
    by_status = {status: [one for one in outcomes if one.status is status] for status in Status}
    return JobSummary(
        counts=total([*(one.counts for one in outcomes), *(one.counts for one in skipped)]),
        shards_committed=len(by_status[Status.COMMITTED]),
        shards_skipped=len(by_status[Status.SKIPPED]) + sum(one.shards for one in skipped),
        shards_failed=len(by_status[Status.FAILED]),
        rows_sent=sum(one.counts.rows for one in by_status[Status.COMMITTED]),
        padding=round(_padding(outcomes), 4),
        seconds=round(seconds, 3),
        max_reject_rate=max_reject_rate,
        failures=tuple(by_status[Status.FAILED]),
        shards_refinished=len(by_status[Status.REFINISHED]),
        document_pass=document_pass,
    )


def _padding(outcomes: Sequence[ShardOutcome]) -> float:
    return sum((BatchFill(one.batch_tokens, one.batch_slots) for one in outcomes), BatchFill()).padding
