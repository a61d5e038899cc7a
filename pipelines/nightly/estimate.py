"""How long a run may take: from what the ledger has seen, or from a stated guess."""

from collections.abc import Sequence
from dataclasses import dataclass

from bioner_core.store.history.ledger import AppliedFile
from bioner_core.store.manifest import total
from pipelines.sync.listing import ListedFile

RECENT_FILES = 50


@dataclass(frozen=True, slots=True)
class Guess:
    """What is taken for granted of files; where no run has measured any, the default model on a few processors.

    `bytes_per_record` counts where a listing tells sizes, `records_per_file` where it does not.
    """

    records_per_file: float
    bytes_per_record: float
    records_per_second: float


RELEASE_GUESS = Guess(records_per_file=30_000, bytes_per_record=1_000, records_per_second=1.0)
"""Citations with abstracts: a full baseline file has 30,000, packed in some 30 MB."""

EXPORT_GUESS = Guess(records_per_file=500, bytes_per_record=1_500, records_per_second=1.0)
"""Exports hold 500 records at most, as text."""

ARTICLE_GUESS = Guess(records_per_file=1, bytes_per_record=0, records_per_second=0.05)
"""One file per article, whatever figures are packed with it; the full text has some two hundred sentences."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will cost. `measured` says whether the rate is one of this store or the guess."""

    files: int
    records: int
    seconds: float
    records_per_second: float
    measured: bool

    def as_json(self) -> dict[str, float | bool]:
        """The object of `--json`."""
        return {
            "files": self.files,
            "records": self.records,
            "seconds": self.seconds,
            "records_per_second": self.records_per_second,
            "records_a_second": self.records_per_second,  # its first name: keys of --json do not change
            "measured": self.measured,
        }


def estimate(
    files: Sequence[ListedFile], entries: Sequence[AppliedFile], *, fingerprint: str, guess: Guess
) -> Estimate:
    """Estimate applying these files, from the newest entries with this fingerprint.

    As many records to the byte as there were are taken to be in them, and as large a share of unchanged ones.
    """
    recent = sorted((one for one in entries if one.fingerprint == fingerprint), key=lambda one: one.applied)
    recent = recent[-RECENT_FILES:]
    counts, seconds = total(one.counts for one in recent), sum(one.seconds for one in recent)
    measured = counts.records_in > 0 and seconds > 0
    if measured:
        size = sum(one.bytes for one in recent)
        found = Guess(counts.records_in / len(recent), size / counts.records_in, counts.records_in / seconds)
    else:
        found = guess
    records = sum(_records(one, found) for one in files)
    rate = found.records_per_second
    return Estimate(len(files), round(records), round(records / rate, 1), round(rate, 3), measured)


def _records(file: ListedFile, by: Guess) -> float:
    if file.bytes is None or not by.bytes_per_record:
        return by.records_per_file
    return max(1.0, file.bytes / by.bytes_per_record)
