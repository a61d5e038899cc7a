"""The number formats that a model can compute in. Imports no torch.

The only place that knows them: the command line, the loader and training all ask here; which of them `auto` stands for
is `precision_choice`'s to say.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bioner_core.errors import ConfigurationError

if TYPE_CHECKING:
    import torch

AUTO = "auto"
BFLOAT16 = "bfloat16"
FLOAT32 = "float32"
INT8 = "int8"

INT8_VERSION = "1"
"""Changes whenever weights or states are rounded otherwise."""

PRECISIONS = (BFLOAT16, FLOAT32, INT8)
"""What a model can compute in; `auto` stands for one of them."""

TRAINING_PRECISIONS = (BFLOAT16, FLOAT32)
"""What a model can be trained in: a step changes weights by less than eight bits can tell."""


def check_precision(wanted: str, known: Sequence[str] = PRECISIONS) -> None:
    """Whether there is such a precision among the `known` ones.

    Raises:
        ConfigurationError: there is none.
    """
    if wanted not in (AUTO, *known):
        raise ConfigurationError(f"precision: {wanted!r}; choose from {', '.join((AUTO, *known))}")


def number_format(precision: str) -> "torch.dtype":
    """What torch calls the numbers that a network holds in a precision.

    With int8 that is float32: only the products of its linear layers are computed in eight bits (`models/int8.py`).

    Raises:
        ConfigurationError: there is no such precision, or it is `auto`, which must be chosen first.
    """
    import torch

    if precision not in PRECISIONS:
        raise ConfigurationError(f"precision: {precision!r}; choose from {', '.join(PRECISIONS)}")
    return torch.bfloat16 if precision == BFLOAT16 else torch.float32
