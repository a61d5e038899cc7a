"""Gradient checkpointing beside a prompt cache: each layer's inside is computed again in the backward pass.

transformers' own switch drops the cache, and with it the prompt. Here the layers run twice against a cache that they
only read.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers.modeling_layers import GradientCheckpointingLayer

from bioner_core.errors import ConfigurationError


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
