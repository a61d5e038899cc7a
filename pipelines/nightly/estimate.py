"""How long a run may take: from what the ledger has seen, or from a stated guess."""

from collections.abc import Sequence
from dataclasses import dataclass

from bioner_core.store.history.ledger import AppliedFile
from bioner_core.store.manifest import total

DEFAULT_RECORDS_A_SECOND = 2.0
"""The guess for a store that has no files yet: titles and abstracts, default model, a few processors and no GPU."""

DEFAULT_RECORDS_A_FILE = 30_000
"""What a PubMed baseline file holds."""

RECENT_FILES = 50


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will cost. `measured` says whether the rate is one of this store or the default guess."""

    files: int
    records: int
    seconds: float
    records_a_second: float
    measured: bool


def estimate(files: int, entries: Sequence[AppliedFile], *, fingerprint: str) -> Estimate:
    """Estimate applying so many files, from the newest entries with this fingerprint.

    Files are taken to be as long as the recent ones, and to have as large a share of unchanged records.
    """
    recent = sorted((one for one in entries if one.fingerprint == fingerprint), key=lambda one: one.applied)
    recent = recent[-RECENT_FILES:]
    counts, seconds = total(one.counts for one in recent), sum(one.seconds for one in recent)
    measured = counts.records_in > 0 and seconds > 0
    rate = counts.records_in / seconds if measured else DEFAULT_RECORDS_A_SECOND
    records = round(files * (counts.records_in / len(recent) if measured else DEFAULT_RECORDS_A_FILE))
    return Estimate(files, records, round(records / rate, 1), round(rate, 3), measured)
