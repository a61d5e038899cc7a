"""Small random networks of the architectures that bases have, each with what is its own."""

from typing import Any

import torch
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GlmConfig,
    GlmForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from bioner_core.models.attention import GROUPED_ATTENTION
from bioner_core.models.tagging_model import TaggingModel

ARCHITECTURES: dict[str, tuple[type[Any], type[Any], dict[str, Any]]] = {
    "llama": (LlamaConfig, LlamaForCausalLM, {}),
    "qwen2": (Qwen2Config, Qwen2ForCausalLM, {}),
    # A window shorter than most texts of the tests: most layers then see the last bytes only.
    "gemma3": (Gemma3TextConfig, Gemma3ForCausalLM, {"sliding_window": 8}),
    "glm": (GlmConfig, GlmForCausalLM, {}),
}


def random_network(name: str, *, attention: str = GROUPED_ATTENTION, spread: float = 0.1) -> TaggingModel:
    """Three layers over bytes; weights have this standard deviation."""
    torch.manual_seed(5)
    config, model, own = ARCHITECTURES[name]
    sizes = {"vocab_size": 256, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16}
    made = config(**sizes, **heads, **own, initializer_range=spread, pad_token_id=0)
    made._attn_implementation = attention
    return TaggingModel(model(made).base_model, added_size=4, tag_count=2)
