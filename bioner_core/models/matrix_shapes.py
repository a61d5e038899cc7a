"""The matrix products of one layer of a base, read from its configuration. Imports no torch."""

import json
from pathlib import Path
from typing import Any

from bioner_core.errors import ModelError

MatrixShape = tuple[int, int]
"""Numbers that go into a product and come out of it, each row alike: (inputs, outputs) of a linear layer."""


def matrix_shapes(base: Path) -> tuple[MatrixShape, ...]:
    """The linear layers of one of the base's layers; where its configuration says little, those of a usual decoder.

    Raises:
        ModelError: there is no configuration in the folder, or it cannot be read.
    """
    config = _configuration(base)
    try:
        hidden = int(config.get("hidden_size") or config["n_embd"])
        heads = int(config.get("num_attention_heads") or config.get("n_head") or 1)
        size = int(config.get("head_dim") or hidden // heads)
        key_width = size * int(config.get("num_key_value_heads") or heads)
        inner = int(config.get("intermediate_size") or 4 * hidden)
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(base, error) from error
    query_width = size * heads
    attention = ((hidden, query_width), (hidden, key_width), (hidden, key_width), (query_width, hidden))
    return (*attention, (hidden, inner), (hidden, inner), (inner, hidden))


def layer_count(base: Path) -> int:
    """How many such layers the base has.

    Raises:
        ModelError: as `matrix_shapes`.
    """
    config = _configuration(base)
    try:
        return int(config.get("num_hidden_layers") or config["n_layer"])
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(base, error) from error


def _configuration(base: Path) -> dict[str, Any]:
    try:
        found = json.loads((base / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(base, error) from error
    if not isinstance(found, dict):
        raise _unreadable(base, TypeError("no JSON object"))
    return found


def _unreadable(base: Path, error: Exception) -> ModelError:
    return ModelError(f"{base / 'config.json'}: cannot be read as a model's configuration ({error!r})")
