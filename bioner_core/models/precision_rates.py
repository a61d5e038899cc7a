"""The measured speed of each precision on this processor, for one base: measured once, then kept. Imports no torch.

Measured are the matrix products of one layer, of the sizes that the base's configuration says.
"""

import hashlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bioner_core.errors import ModelError, StoreError
from bioner_core.models.base_model import cache_folder
from bioner_core.models.precision import INT8, PRECISIONS
from bioner_core.models.processor import processor_features, processor_name
from bioner_core.store.atomic import write_text

MatrixShape = tuple[int, int]
"""Numbers that go into a product and come out of it, each row alike: (inputs, outputs) of a linear layer."""

_FOLDER = "precision"
_SECONDS = 120.0
"""A measurement takes two seconds of processor time, torch's import included; one that takes this long is given up."""


def precision_rates(base: Path) -> dict[str, float]:
    """Multiplications and additions per second of matrix products like the base's, by precision; one thread.

    Kept in the cache folder for this processor, torch and shapes. Without int8 where torch has no such products. Empty
    where nothing could be measured: then the processor's instructions must decide.
    """
    try:
        shapes = matrix_shapes(base)
    except ModelError:  # whoever loads the model says what is wrong with it
        return {}
    path = rates_path(shapes)
    found = _kept(path)
    if not found:
        found = _measured(shapes)
        if found:
            _keep(path, found, shapes)
    return found


def rates_path(shapes: Sequence[MatrixShape]) -> Path:
    """Where the rates of these shapes on this processor are kept."""
    features = sorted(processor_features())
    about = [processor_name(), features, platform.machine(), version("torch"), sorted(PRECISIONS), list(shapes)]
    digest = hashlib.sha256(json.dumps(about).encode()).hexdigest()
    return cache_folder() / _FOLDER / f"{digest[:20]}.json"


def _kept(path: Path) -> dict[str, float]:
    try:
        rates = json.loads(path.read_text(encoding="utf-8"))["rates"]
        found = _rates(rates)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return found if all(rate > 0 for rate in found.values()) else {}


def _keep(path: Path, rates: dict[str, float], shapes: Sequence[MatrixShape]) -> None:
    about = {"processor": processor_name(), "torch": version("torch"), "shapes": list(shapes), "rates": rates}
    try:
        write_text(path, json.dumps(about) + "\n")
    except (StoreError, OSError):
        return  # a cache that cannot be written costs two seconds the next time, and no answer


@cache  # where the folder cannot be written, at least each process measures once only
def _measured(shapes: tuple[MatrixShape, ...]) -> dict[str, float]:
    """The rates, from a process of its own: whoever asks need not hold torch."""
    command = [sys.executable, "-m", "bioner_core.models.precision_trial"]
    try:
        finished = subprocess.run(  # noqa: S603 - our own module
            command,
            input=json.dumps(list(shapes)),
            capture_output=True,
            text=True,
            check=True,
            timeout=_SECONDS,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(one for one in sys.path if one)},
        )
        rates = json.loads(finished.stdout)
        return _rates(rates)
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _rates(found: Mapping[str, float]) -> dict[str, float]:
    """The rates by precision; raises KeyError where one is missing that every torch can compute in."""
    return {name: float(found[name]) for name in PRECISIONS if name in found or name != INT8}


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
