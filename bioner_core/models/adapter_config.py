"""The settings of an adapter, read by an allow-list: a model directory is data, and its settings choose no code.

peft's own reader takes whatever the file names; one of its keys is the name of a module, which it then imports.
"""

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from peft import LoraConfig
from peft.utils.constants import DUMMY_TARGET_MODULES

from bioner_core.errors import ModelError
from bioner_core.models.directory import ADAPTER_CONFIG
from bioner_core.typed_json import typed


@dataclass(frozen=True, slots=True)
class _Settings:
    """What is taken, in the types that peft computes with: it takes any, and fails far from the file at fault."""

    r: int
    target_modules: list[str] | None = None
    exclude_modules: list[str] | None = None
    modules_to_save: list[str] | None = None
    layers_to_transform: list[int] | None = None
    layers_pattern: list[str] | None = None
    rank_pattern: dict[str, int] = field(default_factory=dict)
    alpha_pattern: dict[str, float] = field(default_factory=dict)
    lora_alpha: float = 8
    lora_dropout: float = 0.0
    bias: str = "none"
    lora_bias: bool = False
    fan_in_fan_out: bool = False
    use_dora: bool = False
    use_rslora: bool = False


_TAKEN = frozenset(one.name for one in fields(_Settings))
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
        taken = {key: value for key, value in given.items() if key in _TAKEN}
        # A string would be run as a pattern. One is peft's word for none: full tuning has no LoRA matrices.
        lists = {key: value for key, value in taken.items() if value != DUMMY_TARGET_MODULES}
        if typed(_Settings, lists).r < 1:
            raise ModelError(f"{path}: r is {given['r']!r}, and must be a whole number from 1")
        return LoraConfig(inference_mode=True, **taken)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: the settings of the adapter are damaged ({error}); take the model anew") from error
