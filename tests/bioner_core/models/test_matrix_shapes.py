"""The matrix products of a base, as its configuration tells them."""

import json
from pathlib import Path
from typing import Any

import pytest

from bioner_core.errors import ModelError
from bioner_core.models.precision_rates import matrix_shapes


def written(folder: Path, config: Any) -> Path:
    """A folder with this configuration."""
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            {"hidden_size": 576, "num_attention_heads": 9, "num_key_value_heads": 3, "intermediate_size": 1536},
            ((576, 576), (576, 192), (576, 192), (576, 576), (576, 1536), (576, 1536), (1536, 576)),
        ),
        (
            {"hidden_size": 640, "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 256}
            | {"intermediate_size": 2048},
            ((640, 1024), (640, 256), (640, 256), (1024, 640), (640, 2048), (640, 2048), (2048, 640)),
        ),
        ({"n_embd": 8, "n_head": 2}, ((8, 8), (8, 8), (8, 8), (8, 8), (8, 32), (8, 32), (32, 8))),
    ],
)
def test_shapes_are_those_of_the_layers(tmp_path: Path, config: Any, expected: Any) -> None:
    """Would catch a measurement of other matrices than the model multiplies: heads of a size of their own, few keys."""
    assert matrix_shapes(written(tmp_path, config)) == expected


@pytest.mark.parametrize("config", [{}, [], {"hidden_size": "wide"}, {"hidden_size": 8, "num_attention_heads": "x"}])
def test_a_configuration_that_says_nothing_is_named(tmp_path: Path, config: Any) -> None:
    """Would catch a KeyError in a command that only wanted to know the precision."""
    with pytest.raises(ModelError, match=r"config\.json: cannot be read"):
        matrix_shapes(written(tmp_path, config))
