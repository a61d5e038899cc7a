"""Larger models with random weights: the default model's vocabulary, another shape."""

import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from bioner_core.errors import ConfigurationError
from bioner_core.models.tagging_model import TaggingModel

SHAPES: dict[str, dict[str, Any]] = {
    # SmolLM2-360M, Llama-3.2-1B and Mistral-7B, without their vocabularies.
    "small": {"hidden_size": 960, "intermediate_size": 2560, "num_hidden_layers": 32, "heads": (15, 5)},
    "1b": {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "heads": (32, 8)},
    "7b": {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "heads": (32, 8)},
}
"""Llama shapes by name; `heads` are those of queries and of keys."""


def random_configuration(name_or_path: str) -> Any:
    """The configuration of a shape, or of a Hugging Face `config.json`.

    Raises:
        ConfigurationError: neither one of the shapes nor a file with a configuration of a known architecture.
    """
    if name_or_path in SHAPES:
        shape = dict(SHAPES[name_or_path])
        queries, keys = shape.pop("heads")
        shape |= {"num_attention_heads": queries, "num_key_value_heads": keys, "max_position_embeddings": 8192}
        return AutoConfig.for_model("llama", **shape)
    try:
        settings = json.loads(Path(name_or_path).read_text(encoding="utf-8"))
        kind = settings["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"random-config: {name_or_path!r} is neither one of {', '.join(SHAPES)} nor a readable config.json "
            f"with a model_type ({error})"
        ) from error
    if kind not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        raise ConfigurationError(f"random-config: {name_or_path}: model_type {kind!r} is no causal language model")
    return AutoConfig.for_model(**settings)


def random_model(configuration: Any, *, like: TaggingModel) -> TaggingModel:
    """A model of this configuration with random weights; vocabulary, tags, device and precision are another's."""
    configuration.vocab_size = like.base_size
    attention = like.backbone.config._attn_implementation  # type: ignore[union-attr]
    place, precision = like.added_rows.device, like.added_rows.dtype
    torch.manual_seed(0)
    with torch.device(place):
        backbone = AutoModel.from_config(configuration, dtype=precision, attn_implementation=attention)
        network = TaggingModel(
            backbone,
            added_size=len(like.added_rows),
            tag_count=len(like.move_rows) - 2,
            definition_rank=len(like.definition_keys),
        )
    return network.to(device=place, dtype=precision).eval().requires_grad_(False)
