"""The number formats that a model can compute in, and which of them this device computes fast. Imports no torch.

The only place that knows them: the command line, the loader and training all ask here.
"""

import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bioner_core.errors import ConfigurationError

if TYPE_CHECKING:
    import torch

AUTO = "auto"
BFLOAT16 = "bfloat16"
FLOAT32 = "float32"

PRECISIONS = (BFLOAT16, FLOAT32)
"""What a model can compute in; `auto` stands for one of them."""

# What Linux calls the instructions that multiply bfloat16 numbers. Without one of them a product of bfloat16 matrices
# is emulated: on an AVX2 processor 9 GFLOP/s against 67 to 80 in float32.
_BFLOAT16_INSTRUCTIONS = {
    "x86_64": frozenset({"avx512_bf16", "amx_bf16"}),
    "aarch64": frozenset({"bf16", "svebf16"}),
}
_CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class PrecisionChoice:
    """A number format, and for people why it is this one; no reason where it was asked for by name."""

    name: str
    reason: str = ""

    @property
    def in_words(self) -> str:
        """The choice and its reason, in one line."""
        return f"{self.name}: {self.reason}" if self.reason else self.name


def check_precision(wanted: str) -> None:
    """Whether there is such a precision.

    Raises:
        ConfigurationError: there is none.
    """
    if wanted not in (AUTO, *PRECISIONS):
        raise ConfigurationError(f"precision: {wanted!r}; choose from {', '.join((AUTO, *PRECISIONS))}")


def choose_precision(wanted: str = AUTO, *, on_gpu: bool) -> PrecisionChoice:
    """The number format to compute in: the one that is asked for, or for `auto` the one that is native here.

    Raises:
        ConfigurationError: there is no such precision.
    """
    check_precision(wanted)
    if wanted != AUTO:
        return PrecisionChoice(wanted)
    if on_gpu:
        return PrecisionChoice(BFLOAT16, "the model is on a GPU")
    if processor_has_bfloat16():
        return PrecisionChoice(BFLOAT16, "this processor has bfloat16 instructions")
    return PrecisionChoice(FLOAT32, "this processor has no bfloat16 instructions")


def processor_has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 numbers itself. Where the system does not tell, it does not."""
    wanted = _BFLOAT16_INSTRUCTIONS.get(platform.machine().lower(), frozenset())
    return bool(wanted & _processor_features())


def number_format(precision: str) -> "torch.dtype":
    """What torch calls a precision.

    Raises:
        ConfigurationError: there is no such precision, or it is `auto`, which must be chosen first.
    """
    import torch

    if precision not in PRECISIONS:
        raise ConfigurationError(f"precision: {precision!r}; choose from {', '.join(PRECISIONS)}")
    return torch.bfloat16 if precision == BFLOAT16 else torch.float32


def _processor_features() -> frozenset[str]:
    """The features of the first processor that Linux lists: x86 calls the line `flags`, ARM calls it `Features`."""
    lines = _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines() if _CPU_INFO.is_file() else []
    named = (line.partition(":")[2] for line in lines if line.startswith(("flags", "Features")))
    return frozenset(next(named, "").split())
