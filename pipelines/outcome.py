"""What became of one shard, as the launcher hears of it."""

import traceback
from dataclasses import dataclass, field
from enum import StrEnum

from bioner_core.formats.inputs import public_name
from bioner_core.inference.batching import BatchFill
from bioner_core.store.layout import ShardDescriptor
from bioner_core.store.manifest import Counts, Manifest


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
