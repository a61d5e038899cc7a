"""A batch on its way through the pool, and what its deaths mean for its rows."""

from collections import Counter
from dataclasses import dataclass, replace

from bioner_core.inference.annotation import RowError
from bioner_core.inference.batching import Batch
from bioner_core.records import RejectReason


@dataclass(frozen=True, slots=True)
class Death:
    """Why an actor is gone: `ACTOR_DIED`, or `DEADLINE` when it was ended because it was overdue."""

    reason: RejectReason
    message: str
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A batch, and how often an actor died while it ran it or a larger batch that it was cut from.

    `buffer` says which buffer of the stream its rows are from, counted from 0.
    """

    batch: Batch
    deaths: tuple[Death, ...] = ()
    buffer: int = 0

    def after(self, death: Death, *, max_attempts: int) -> "list[Parcel] | RowError":
        """What to send again after one more death, or why the only row of this parcel is given up.

        The first death of a batch may be chance, so it is sent again whole. After the second it is cut in halves, and a
        half that kills is cut again, until the poison row is alone. That row is given up after `max_attempts` deaths of
        its own, for the commonest of their reasons: one of them may be chance, and those of its mates do not count.
        """
        deaths = (*self.deaths, death)
        if len(self.batch.indices) == 1:
            if len(deaths) < max_attempts:
                return [replace(self, deaths=deaths)]
            told = _last_of_commonest_reason(deaths)
            return RowError(told.reason, told.message, told.traceback, len(deaths))
        if len(deaths) < 2:
            return [replace(self, deaths=deaths)]
        return [replace(self, batch=one, deaths=(death,) * (len(one.indices) > 1)) for one in self.batch.halves()]


def _last_of_commonest_reason(deaths: tuple[Death, ...]) -> Death:
    counts = Counter(death.reason for death in deaths)
    return max(reversed(deaths), key=lambda death: counts[death.reason])
