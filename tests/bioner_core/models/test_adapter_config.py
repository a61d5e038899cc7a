"""The settings of an adapter choose no code."""

import json
from pathlib import Path

import pytest

from bioner_core.errors import ModelError
from bioner_core.models.adapter_config import read_adapter_config
from bioner_core.models.directory import ADAPTER_CONFIG, ADAPTER_FOLDER, DEFAULT_MODEL, model_folder

GOOD = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj"], "megatron_core": "megatron.core"}


def _written(folder: Path, **values: object) -> Path:
    (folder / ADAPTER_CONFIG).write_text(json.dumps(GOOD | values))
    return folder


def test_the_adapter_that_ships_is_taken() -> None:
    """Catches a list that leaves out what our own training writes."""
    folder = model_folder(DEFAULT_MODEL) / ADAPTER_FOLDER
    given = json.loads((folder / ADAPTER_CONFIG).read_text())
    found = read_adapter_config(folder)
    assert (found.r, found.lora_alpha) == (given["r"], given["lora_alpha"])
    assert set(found.target_modules or ()) == set(given["target_modules"])


@pytest.mark.parametrize(
    "values",
    [
        {"megatron_config": {"a": 1}, "megatron_core": "antigravity"},
        {"loftq_config": {"loftq_bits": 4}},
        {"layer_replication": [[0, 4]]},
        {"a_key_of_tomorrow": "x"},
        {"peft_type": "PREFIX_TUNING"},
        {"target_modules": "(a+)+$"},
        {"r": "many"},
        {"r": -1},
        {"lora_alpha": "64"},
        {"lora_alpha": None},
        {"rank_pattern": ["x"]},
        {"rank_pattern": {"q_proj": "4"}},
        {"target_modules": [1]},
        {"use_dora": 1},
        {"bias": []},
    ],
)
def test_what_is_not_listed_is_refused(tmp_path: Path, values: dict[str, object]) -> None:
    """Catches a model directory that names a module, which peft imports, a pattern, which it runs, or a number in
    quotes, which it multiplies with."""
    assert read_adapter_config(_written(tmp_path)).r == 4
    with pytest.raises(ModelError, match=ADAPTER_CONFIG):
        read_adapter_config(_written(tmp_path, **values))


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_damage_is_told(tmp_path: Path, text: str) -> None:
    """Catches a traceback for a damaged file."""
    (tmp_path / ADAPTER_CONFIG).write_text(text)
    with pytest.raises(ModelError, match=ADAPTER_CONFIG):
        read_adapter_config(tmp_path)
