"""The settings of an adapter, read by an allow-list: a model directory is data, and its settings choose no code.

peft's own reader takes whatever the file names; one of its keys is the name of a module, which it then imports.
"""

import json
from pathlib import Path
from typing import Any

from peft import LoraConfig
from peft.utils.constants import DUMMY_TARGET_MODULES

from bioner_core.errors import ModelError
from bioner_core.models.directory import ADAPTER_CONFIG

_TAKEN = frozenset(
    {
        "alpha_pattern",
        "bias",
        "exclude_modules",
        "fan_in_fan_out",
        "layers_pattern",
        "layers_to_transform",
        "lora_alpha",
        "lora_bias",
        "lora_dropout",
        "modules_to_save",
        "r",
        "rank_pattern",
        "target_modules",
        "use_dora",
        "use_rslora",
    }
)
_PASSED_OVER = frozenset(
    {
        "auto_mapping",
        "base_model_name_or_path",
        "inference_mode",
        "init_lora_weights",
        "megatron_core",
        "peft_type",
        "peft_version",
        "qalora_group_size",
        "revision",
        "task_type",
    }
)
"""What changes nothing in an adapter that is loaded to be merged, or is said by bioner's own card."""


def read_adapter_config(adapter: Path) -> LoraConfig:
    """The settings of the adapter in a folder.

    Raises:
        ModelError: the file is damaged, of another kind than LoRA, or sets what bioner does not take.
    """
    path = adapter / ADAPTER_CONFIG
    try:
        given: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        strange = sorted(key for key, value in given.items() if value and key not in _TAKEN | _PASSED_OVER)
        if given.get("peft_type") != "LORA":
            raise ModelError(f"{path}: peft_type is {given.get('peft_type')!r}, and only LORA can be loaded")
        if strange:
            raise ModelError(f"{path}: sets {', '.join(strange)}, which bioner does not take; train without it")
        for key in ("target_modules", "exclude_modules"):
            # A string would be run as a pattern. One is peft's word for none: full tuning has no LoRA matrices.
            if not isinstance(given.get(key), list | None) and given[key] != DUMMY_TARGET_MODULES:
                raise ModelError(f"{path}: {key} is no list of names")
        if not isinstance(given.get("r"), int) or given["r"] < 1:
            raise ModelError(f"{path}: r is {given.get('r')!r}, and must be a whole number from 1")
        return LoraConfig(inference_mode=True, **{key: value for key, value in given.items() if key in _TAKEN})
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: the settings of the adapter are damaged ({error}); take the model anew") from error
