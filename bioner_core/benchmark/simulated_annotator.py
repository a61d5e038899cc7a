"""An annotator that works by the clock, so that one machine shows what many actors would do. Imports no torch."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bioner_core.errors import ConfigurationError
from bioner_core.inference.annotation import AnnotationRequest, RowResult
from bioner_core.mentions import Candidate
from bioner_core.text.units import estimate_tokens

SIMULATED_FINGERPRINT = "simulated"
"""No model's digest can equal it."""

_WORD = re.compile(r"\w{3,}")
_WORDS_PER_MENTION = 5


@dataclass(frozen=True, slots=True)
class SimulatedAnnotator:
    """Sleeps for a fixed time per batch, and a time for each estimated token of its texts, then names every fifth word.

    It takes hardly any processor time, and its answers give whoever asks as much to store as a model's.

    Raises:
        ConfigurationError: a time is negative.
    """

    seconds_per_batch: float = 2.0
    seconds_per_token: float = 0.0

    def __post_init__(self) -> None:
        if min(self.seconds_per_batch, self.seconds_per_token) < 0:
            raise ConfigurationError(
                f"a simulated batch takes {self.seconds_per_batch} s and {self.seconds_per_token} s per token: "
                "use 0 or more"
            )

    @property
    def fingerprint(self) -> str:
        """A constant: the answers do not depend on the times."""
        return SIMULATED_FINGERPRINT

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Every fifth word of each text; returns after the batch's service time, the work itself included."""
        started = time.monotonic()
        results = [_answer(request.text) for request in requests]
        tokens = sum(estimate_tokens(request.text) for request in requests) if self.seconds_per_token else 0
        rest = started + self.seconds_per_batch + tokens * self.seconds_per_token - time.monotonic()
        time.sleep(max(0.0, rest))
        return results


def _answer(text: str) -> RowResult:
    words = list(_WORD.finditer(text))[::_WORDS_PER_MENTION]
    return tuple(Candidate(word.start(), word.end(), "simulated", 1.0, 1.0, True) for word in words)
