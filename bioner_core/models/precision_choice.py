"""Which precision `auto` stands for: what this device computes fastest, measured, not guessed. Imports no torch."""

import platform
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bioner_core.errors import ConfigurationError
from bioner_core.models.precision import AUTO, BFLOAT16, FLOAT32, INT8, check_precision
from bioner_core.models.precision_rates import precision_rates
from bioner_core.models.processor import processor_features, processor_name

LEAST_GAIN = 1.1
"""A precision must be this many times as fast as float32 to be taken for it: below, float32's digits are worth more."""

SLOW = 2.0
"""A precision this many times slower than another one here is worth a word to whoever must compute in it."""

# What Linux calls the instructions that multiply bfloat16 numbers. Without one of them a product of bfloat16 matrices
# is emulated: on an AVX2 processor 9 GFLOP/s against 67 to 80 in float32.
_BFLOAT16_INSTRUCTIONS = {
    "x86_64": frozenset({"avx512_bf16", "amx_bf16"}),
    "aarch64": frozenset({"bf16", "svebf16"}),
}


@dataclass(frozen=True, slots=True)
class PrecisionChoice:
    """A number format, and for people why it is this one; no reason where it was asked for by name.

    `rates` are the multiplications and additions per second that were measured for each precision, of one thread on
    matrices of the model's shapes; empty where nothing was.
    """

    name: str
    reason: str = ""
    rates: Mapping[str, float] = field(default_factory=dict)

    @property
    def in_words(self) -> str:
        """The choice and its reason, in one line."""
        return f"{self.name}: {self.reason}" if self.reason else self.name

    @property
    def slower_than(self) -> str:
        """The precision that is at least `SLOW` times as fast here; empty when there is none or nobody knows.

        Never int8, which changes mentions: that is the model's card to say.
        """
        best = max(set(self.rates) - {INT8}, key=self.rates.__getitem__, default="")
        is_slow = bool(best) and self.name in self.rates and self.rates[best] >= SLOW * self.rates[self.name]
        return best if is_slow else ""


def choose_precision(
    wanted: str = AUTO, *, on_gpu: bool, base: Path | None = None, int8_is_good: bool = False
) -> PrecisionChoice:
    """The number format to compute in: the one that is asked for, or for `auto` the fastest on this device.

    `auto` stands for int8 only where `int8_is_good`: where the model's card shows that its answers hardly change.

    On a processor that is measured once for the shapes of `base`, the folder of a base model, which takes some two
    seconds, and is kept for the next time. Without a base, or where nothing can be measured, the instructions of the
    processor decide.

    Raises:
        ConfigurationError: there is no such precision, or none such on this device.
    """
    check_precision(wanted)
    if wanted == INT8 and on_gpu:
        raise ConfigurationError("precision int8 is for processors; on a GPU choose bfloat16 or float32")
    if wanted != AUTO:
        return PrecisionChoice(wanted)
    if on_gpu:
        return PrecisionChoice(BFLOAT16, "the model is on a GPU")
    rates = precision_rates(base) if base is not None else {}
    if rates:
        return _fastest(rates, int8_is_good=int8_is_good)
    if processor_has_bfloat16():
        return PrecisionChoice(BFLOAT16, "this processor has bfloat16 instructions")
    return PrecisionChoice(FLOAT32, "this processor has no bfloat16 instructions")


def with_rates(choice: PrecisionChoice, *, on_gpu: bool, base: Path) -> PrecisionChoice:
    """The choice with what was measured here, so that it can be told whether it is slow; on a GPU nothing is."""
    if on_gpu or choice.rates:
        return choice
    return PrecisionChoice(choice.name, choice.reason, precision_rates(base))


def check_fast_here(choice: PrecisionChoice, *, launched_on: str) -> None:
    """Whether this machine may compute in a precision that was chosen on another processor.

    Raises:
        ConfigurationError: it is at least `SLOW` times slower here than another one, so that this machine would hold up
            those that it works with; the message names both.
    """
    if choice.slower_than:
        raise ConfigurationError(
            f"precision {choice.name} was chosen on {launched_on}, but on {socket.gethostname()} ({processor_name()}) "
            f"{choice.slower_than} is much faster ({rates_in_words(choice.rates)}): name --precision "
            f"{choice.slower_than} for all machines, or leave this one out"
        )


def processor_has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 numbers itself. Where the system does not tell, it does not."""
    wanted = _BFLOAT16_INSTRUCTIONS.get(platform.machine().lower(), frozenset())
    return bool(wanted & processor_features())


def rates_in_words(rates: Mapping[str, float]) -> str:
    """The rates, the fastest first: `float32 64, bfloat16 9 GFLOP/s`."""
    ranked = sorted(rates, key=rates.__getitem__, reverse=True)
    return f"{', '.join(f'{name} {rates[name] / 1e9:.0f}' for name in ranked)} GFLOP/s"


def _fastest(rates: Mapping[str, float], *, int8_is_good: bool) -> PrecisionChoice:
    allowed = [name for name in rates if int8_is_good or name != INT8]
    best = max(allowed, key=rates.__getitem__)
    if best != FLOAT32 and rates[best] < LEAST_GAIN * rates[FLOAT32]:
        best = FLOAT32
    instructions = "" if processor_has_bfloat16() else ", and this processor has no bfloat16 instructions"
    changes = (
        "; int8 is not taken: the card of this model does not show that it changes few mentions"
        if INT8 in rates and not int8_is_good
        else ""
    )
    return PrecisionChoice(best, f"{rates_in_words(rates)} measured here{instructions}{changes}", rates)
