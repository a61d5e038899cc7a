"""What of a base model is trained: how it is loaded, and which of its weights get copies that learn.

All three kinds end as a peft adapter beside an untouched base, so that one loader serves them: LoRA matrices for `lora`
and `qlora`, whole weights that take the place of the base's for `full`.
"""

import importlib.util
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.utils.constants import DUMMY_TARGET_MODULES
from torch import nn
from transformers import AutoModelForCausalLM
from transformers.pytorch_utils import Conv1D

from bioner_core.errors import ConfigurationError, install_words
from bioner_core.models.attention import GROUPED_ATTENTION, SDPA_ATTENTION
from bioner_core.models.base_model import base_folder, check_base
from bioner_core.models.precision import number_format
from bioner_core.models.precision_choice import choose_precision
from bioner_core.training.settings import SftSettings, Tuning


def load_frozen_base(settings: SftSettings, device: torch.device) -> Any:
    """The base language model, frozen, in the precision asked for; for `qlora` in four bits and on its device.

    Raises:
        ConfigurationError: `qlora` without CUDA or without bitsandbytes.
        ModelError: no such base, or it is damaged.
    """
    options: dict[str, Any] = {
        "dtype": _number_format(settings, device),
        "attn_implementation": GROUPED_ATTENTION if device.type == "cpu" else SDPA_ATTENTION,
        "local_files_only": True,
        "use_safetensors": True,
        "trust_remote_code": False,
    }
    if settings.tuning is Tuning.QLORA:
        check_four_bits(device)
        options |= {"quantization_config": four_bits(settings, device), "device_map": {"": device}}
    check_base(settings.base)
    language_model = AutoModelForCausalLM.from_pretrained(str(base_folder(settings.base)), **options)
    language_model.requires_grad_(False)
    return language_model


def check_four_bits(device: torch.device) -> None:
    """Whether a base can be held in four bits here.

    Raises:
        ConfigurationError: no CUDA device, or bitsandbytes is not installed; the message says what else to choose.
    """
    if device.type != "cuda":
        raise ConfigurationError(
            'tuning: "qlora" needs an NVIDIA GPU (CUDA), and none is in use here; choose "lora", or run it on a GPU'
        )
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ConfigurationError(f'tuning: "qlora" needs the package bitsandbytes: {install_words("qlora")}')


def four_bits(settings: SftSettings, device: torch.device) -> Any:
    """How the base is held for `qlora`: NF4 with double quantisation, as in the paper on QLoRA (arXiv 2305.14314)."""
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=_number_format(settings, device),
    )


def _number_format(settings: SftSettings, device: torch.device) -> torch.dtype:
    base = base_folder(settings.base)
    return number_format(choose_precision(settings.precision, on_gpu=device.type == "cuda", base=base).name)


def adapt(language_model: Any, settings: SftSettings) -> PeftModel:
    """Put weights that learn into the base, in the base's own number format.

    Adapters in bfloat16 like the base (mixed matrix products are slow); `MasterWeights` keeps their float32 copies.
    """
    backbone = language_model.base_model
    if settings.tuning is Tuning.FULL:
        # peft wants a target for LoRA matrices; this name of its own stands for none.
        config = LoraConfig(target_modules=DUMMY_TARGET_MODULES, modules_to_save=weight_modules(backbone))
    else:
        config = LoraConfig(
            r=settings.lora_rank, lora_alpha=settings.lora_alpha, target_modules=linear_modules(backbone)
        )
    return get_peft_model(language_model, config, autocast_adapter_dtype=False)


def linear_modules(backbone: nn.Module) -> list[str]:
    """The last names of all linear layers of a decoder without its head, sorted.

    Raises:
        ConfigurationError: it has none that an adapter could stand beside.
    """
    found = {
        name.rpartition(".")[2] for name, module in backbone.named_modules() if isinstance(module, nn.Linear | Conv1D)
    }
    if not found:
        raise ConfigurationError(f"base: {type(backbone).__name__} has no linear layers for LoRA")
    return sorted(found)


def weight_modules(backbone: nn.Module) -> list[str]:
    """The last names of all modules of a decoder that have weights of their own, sorted; its head is not among them."""
    return sorted(
        {
            name.rpartition(".")[2]
            for name, module in backbone.named_modules()
            if next(module.parameters(recurse=False), None) is not None
        }
    )
