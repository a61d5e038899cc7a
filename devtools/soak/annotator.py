"""The annotator of the soak: deterministic mentions, a service time, and faults to order. Built in actors by name.

The soak and its actors tell each other by files: an actor signs in when it starts, and takes orders. An order is taken
by renaming it, so exactly one actor obeys it.
"""

import ctypes
import os
import secrets
import signal
import time
import zlib
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from bioner_core.errors import AnnotatorOutOfMemoryError
from bioner_core.inference.annotation import AnnotationRequest, RowError, RowResult
from bioner_core.mentions import Candidate
from bioner_core.records import RejectReason


class Order(StrEnum):
    """What an actor is told to do in its next batch."""

    DIE = "die"
    SLEEP = "sleep"
    HOLD = "hold"
    SAY_FULL = "say-full"
    ALLOCATE = "allocate"


def give_order(folder: Path, order: Order) -> Path:
    """Leave an order for whichever actor comes first; the path exists until it is taken."""
    orders = folder / "orders"
    orders.mkdir(parents=True, exist_ok=True)
    path = orders / f"{order}.{secrets.token_hex(4)}"
    path.touch()
    return path


def take_order(folder: Path) -> Order | None:
    """Take the oldest order by name, if there is one that no other actor takes first."""
    orders = folder / "orders"
    for path in sorted(orders.iterdir()) if orders.is_dir() else ():
        taken = folder / "taken" / f"{path.name}.{os.getpid()}"
        taken.parent.mkdir(exist_ok=True)
        try:
            path.rename(taken)
        except FileNotFoundError:  # another actor was quicker
            continue
        return Order(path.name.partition(".")[0])
    return None


def sign_in(folder: Path, feeder: int) -> None:
    """Note that this process is an actor of the feeder of that number."""
    book = folder / "actors"
    book.mkdir(parents=True, exist_ok=True)
    (book / f"{feeder}-{os.getpid()}").touch()


def signed_in(folder: Path) -> list[tuple[int, int]]:
    """Every actor that ever signed in: the number of its feeder, and its process id."""
    book = folder / "actors"
    names = [path.name.split("-") for path in book.iterdir()] if book.is_dir() else []
    return sorted((int(feeder), int(pid)) for feeder, pid in names)


POISON = "snarkolin"
"""A word that ends the process that reads it; no syllable of the corpus makes it by chance."""

FINGERPRINT = "soak-1"
_FOR_EVER = 3600
_MORE_THAN_THERE_IS = 1 << 60
_BATCHES_OF_SCARCITY = 3


def invented_candidates(text: str) -> tuple[Candidate, ...]:
    """A candidate for every word but each fifth, with its first letter nested in it; a pure function of the text."""
    found: list[Candidate] = []
    start = 0
    for word in text.split(" "):
        end, digest = start + len(word), zlib.crc32(word.encode())
        if word and digest % 5:
            found.append(Candidate(start, end, f"type{digest % 3}", digest % 7, (digest % 11) / 10, digest % 2 == 0))
            found.append(Candidate(start, start + 1, "letter", digest % 3, 0.5, accepted=True))
        start = end + 1
    return tuple(found)


class CalmAnnotator:
    """What an undisturbed run gives: a row with the poison in it is rejected, and nothing ever fails."""

    @property
    def fingerprint(self) -> str:
        """A constant."""
        return FINGERPRINT

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Candidates for each request, at once."""
        return [
            RowError(RejectReason.ACTOR_DIED, "poison") if POISON in one.text else invented_candidates(one.text)
            for one in requests
        ]


class FaultyAnnotator:
    """Gives the same candidates, after its service time, and does to its process what it is ordered to."""

    def __init__(self, folder: Path, seconds_per_batch: float) -> None:
        self._folder = folder
        self._seconds_per_batch = seconds_per_batch
        self._scarce_batches = 0
        self._full: Order | None = None

    @property
    def fingerprint(self) -> str:
        """That of the calm one, whose results these must equal."""
        return FINGERPRINT

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Candidates for each request, if the process lives.

        Raises:
            AnnotatorOutOfMemoryError: it was ordered, and the batch has more than one row.
            MemoryError: likewise.
        """
        self._obey(take_order(self._folder))
        time.sleep(self._seconds_per_batch)
        if any(POISON in one.text for one in requests):
            os.kill(os.getpid(), signal.SIGKILL)
        if self._scarce_batches:
            self._run_out_of_memory(len(requests))
        return [invented_candidates(one.text) for one in requests]

    def _obey(self, order: Order | None) -> None:
        match order:
            case Order.DIE:
                os.kill(os.getpid(), signal.SIGKILL)
            case Order.SLEEP:
                time.sleep(_FOR_EVER)
            case Order.HOLD:
                ctypes.PyDLL(None).sleep(_FOR_EVER)  # a PyDLL call keeps the interpreter lock
            case Order.SAY_FULL | Order.ALLOCATE:
                self._full, self._scarce_batches = order, _BATCHES_OF_SCARCITY

    def _run_out_of_memory(self, rows: int) -> None:
        if rows == 1:
            self._scarce_batches -= 1
        elif self._full is Order.ALLOCATE:
            bytearray(_MORE_THAN_THERE_IS)
        else:
            raise AnnotatorOutOfMemoryError(f"{rows} rows do not fit")


def faulty(folder: str, feeder: int, *, seconds_per_batch: float) -> FaultyAnnotator:
    """The factory that actors call: signs the process in, so that the soak knows whom to stop."""
    sign_in(Path(folder), feeder)
    return FaultyAnnotator(Path(folder), seconds_per_batch)
