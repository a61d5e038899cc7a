"""A model with random weights held in four bits, as `train sft` holds a base for QLoRA, made without files."""

import importlib
import importlib.util
from typing import Any

import torch
from torch import nn

PACKAGE = "bitsandbytes"


def can_hold_four_bits() -> bool:
    """Whether the package that this takes is installed."""
    return importlib.util.find_spec(PACKAGE) is not None


def hold_in_four_bits(language_model: Any, *, compute: torch.dtype) -> None:
    """Put the linear layers of a model's decoder in four bits where they are: NF4 with double quantisation.

    What `bioner_core.training.tuning.four_bits` asks transformers for when it loads a base; the head stays as it is.
    """
    layers = importlib.import_module(PACKAGE).nn
    for module in list(language_model.base_model.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.Linear:
                setattr(module, name, _held(layers, child, compute))
    language_model.is_loaded_in_4bit = True  # by this name peft knows


def _held(layers: Any, linear: nn.Linear, compute: torch.dtype) -> nn.Module:
    device = linear.weight.device
    held = layers.Linear4bit(
        linear.in_features,
        linear.out_features,
        bias=linear.bias is not None,
        compute_dtype=compute,
        quant_type="nf4",
        device="meta",
    )
    held.weight = layers.Params4bit(
        linear.weight.data, requires_grad=False, compress_statistics=True, quant_type="nf4", module=held
    )
    if linear.bias is not None:
        held.bias = nn.Parameter(linear.bias.data, requires_grad=False)
    moved: nn.Module = held.to(device)  # this packs them
    return moved
