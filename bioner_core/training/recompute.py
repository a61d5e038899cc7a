"""Gradient checkpointing beside a prompt cache: each layer's inside is computed again in the backward pass.

transformers' own switch drops the cache, and with it the prompt. Here the layers run twice against a cache that they
only read.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from transformers import DynamicCache
from transformers.modeling_layers import GradientCheckpointingLayer

from bioner_core.errors import ConfigurationError


class ReadOnlyCache(DynamicCache):  # type: ignore[misc]
    """Shows a layer what another cache holds with the new keys and values behind it, and keeps nothing of them."""

    def __init__(self, held: DynamicCache) -> None:
        super().__init__()
        self.layers = held.layers

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """The held keys and values of a layer followed by the new ones. *Shape:* (rows, key_heads, slots, size)."""
        held = self.layers[layer_idx]
        return torch.cat((held.keys, key_states), dim=-2), torch.cat((held.values, value_states), dim=-2)


@contextmanager
def recomputed_layers(backbone: nn.Module) -> Iterator[None]:
    """Within the block, forward passes keep only the input of each layer; the backward pass computes the rest again.

    Raises:
        ConfigurationError: the architecture has no layers that can be recomputed.
    """
    layers = [one for one in backbone.modules() if isinstance(one, GradientCheckpointingLayer)]
    if not layers:
        raise ConfigurationError(
            f"gradient_checkpointing: {type(backbone).__name__} has no layers that support it; set it to false"
        )
    with ExitStack() as stack:
        for layer in layers:
            layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
            stack.callback(delattr, layer, "forward")
        yield
