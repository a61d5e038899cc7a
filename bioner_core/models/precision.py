"""The number formats that a model can compute in. Imports no torch.

The only place that knows them: the command line, the loader and training all ask here; which of them `auto` stands for
is `precision_choice`'s to say.
"""

from typing import TYPE_CHECKING

from bioner_core.errors import ConfigurationError

if TYPE_CHECKING:
    import torch

AUTO = "auto"
BFLOAT16 = "bfloat16"
FLOAT32 = "float32"

PRECISIONS = (BFLOAT16, FLOAT32)
"""What a model can compute in; `auto` stands for one of them."""


def check_precision(wanted: str) -> None:
    """Whether there is such a precision.

    Raises:
        ConfigurationError: there is none.
    """
    if wanted not in (AUTO, *PRECISIONS):
        raise ConfigurationError(f"precision: {wanted!r}; choose from {', '.join((AUTO, *PRECISIONS))}")


def number_format(precision: str) -> "torch.dtype":
    """What torch calls a precision.

    Raises:
        ConfigurationError: there is no such precision, or it is `auto`, which must be chosen first.
    """
    import torch

    if precision not in PRECISIONS:
        raise ConfigurationError(f"precision: {precision!r}; choose from {', '.join(PRECISIONS)}")
    return torch.bfloat16 if precision == BFLOAT16 else torch.float32
