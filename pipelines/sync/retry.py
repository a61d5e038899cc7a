"""Bounded retries with growing pauses, for faults that may pass."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from bioner_core.errors import InputError

Result = TypeVar("Result")


class PassingFault(InputError):
    """Something that may work in a while: a lost connection, a busy server. `after_seconds` is what the server asks."""

    def __init__(self, message: str, *, after_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.after_seconds = after_seconds


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to go on: `attempts` in a row that bring nothing new, with pauses that double from `first_pause`.

    A server that asks for a longer pause gets it, up to `longest_pause`. `idle_seconds` is how long a connection may
    be silent. `ca_file` holds the certificates of the authorities that HTTPS servers are checked against; empty: those
    of the web.
    """

    attempts: int = 6
    first_pause: float = 1.0
    longest_pause: float = 120.0
    idle_seconds: float = 60.0
    ca_file: str = ""

    def pause(self, failures: int, *, asked: float = 0.0) -> float:
        """Seconds to wait after so many failures in a row (1 or more), with a random part, so that clients spread."""
        grown = self.first_pause * 2.0 ** (failures - 1) * random.uniform(0.75, 1.25)  # noqa: S311
        return float(min(max(grown, asked), self.longest_pause))


def with_retries(step: Callable[[], Result], policy: RetryPolicy, *, progress: Callable[[], int]) -> Result:
    """Do `step` until it succeeds; `progress` tells how far it has come, and coming further starts the count anew.

    Raises:
        InputError: it failed for good, or `policy.attempts` times in a row without progress.
    """
    failures, reached = 0, progress()
    while True:
        try:
            return step()
        except PassingFault as fault:
            failures = failures + 1 if progress() <= reached else 1
            reached = max(reached, progress())
            if failures >= policy.attempts:
                raise InputError(f"{fault} (given up after {failures} attempts)") from fault
            time.sleep(policy.pause(failures, asked=fault.after_seconds))
