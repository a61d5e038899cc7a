"""A batch on its way through the pool, and what its failures mean for its rows."""

from collections import Counter
from dataclasses import dataclass, replace

from bioner_core.inference.annotation import RowError
from bioner_core.inference.batching import Batch
from bioner_core.records import RejectReason


@dataclass(frozen=True, slots=True)
class ActorFailure:
    """Why an actor is gone: `ACTOR_DIED`, or `DEADLINE` when it was ended because it was overdue."""

    reason: RejectReason
    message: str
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class PendingBatch:
    """A batch, and how often an actor died while it ran it or a larger batch that it was cut from.

    `buffer` says which buffer of the stream its rows are from, counted from 0.
    """

    batch: Batch
    failures: tuple[ActorFailure, ...] = ()
    buffer: int = 0

    def after(self, failure: ActorFailure, *, max_attempts: int) -> "list[PendingBatch] | RowError":
        """What to send again after one more failure, or why the only row of this batch is given up.

        The first failure of a batch may be chance, so it is sent again whole. After the second it is cut in halves,
        and a half that kills is cut again, until the poison row is alone. That row is given up after `max_attempts`
        failures of its own, for the commonest of their reasons: one of them may be chance, and those of its mates do
        not count.
        """
        failures = (*self.failures, failure)
        if len(self.batch.indices) == 1:
            if len(failures) < max_attempts:
                return [replace(self, failures=failures)]
            told = _last_of_commonest_reason(failures)
            return RowError(told.reason, told.message, told.traceback, len(failures))
        if len(failures) < 2:
            return [replace(self, failures=failures)]
        # Invariant: of n rows the poison row is alone after 1 + ceil(log2 n) deaths, and no batch-mate is rejected. A
        # half starts with one failure, so that a second one cuts it; a row that is alone starts with none, so that all
        # `max_attempts` are its own.
        return [replace(self, batch=one, failures=(failure,) * (len(one.indices) > 1)) for one in self.batch.halves()]


def _last_of_commonest_reason(failures: tuple[ActorFailure, ...]) -> ActorFailure:
    counts = Counter(failure.reason for failure in failures)
    return max(reversed(failures), key=lambda failure: counts[failure.reason])
