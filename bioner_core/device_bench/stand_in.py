"""A model that needs no files: the shape of the default model, or a tiny one, with random weights.

It can be held in four bits, as `train sft` holds a base for QLoRA.
"""

import importlib
import importlib.util
import zlib
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModel

from bioner_core.labels.label_set import LabelSet
from bioner_core.models.attention import GROUPED_ATTENTION
from bioner_core.models.loading import LoadedModel
from bioner_core.models.model_card import ModelCard
from bioner_core.models.precision import number_format
from bioner_core.models.prompt import PROMPT_VERSION
from bioner_core.models.tagging_model import TaggingModel
from bioner_core.models.vocabulary import TaggingVocabulary
from bioner_core.tagging.scheme import TagScheme

VOCABULARY = 8192
_CHUNK = 4
_RANK = 16
_COPY_BIAS = 2.5
"""Raises copying above tags, which are then about as rare as in real sentences: other logits are about 1 apart."""

SMOLLM2_135M = {
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
}
TINY = {
    "hidden_size": 48,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}


class ChunkTokenizer:
    """One token for every four characters, about as many as a real tokenizer makes; no token begins a text."""

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
        """An id for each chunk, always the same."""
        return [zlib.crc32(text[start : start + _CHUNK].encode()) % VOCABULARY for start in range(0, len(text), _CHUNK)]


def llama_configuration(shape: dict[str, int]) -> Any:
    """The configuration of a Llama of this shape."""
    return AutoConfig.for_model(
        "llama", **shape, vocab_size=VOCABULARY, max_position_embeddings=8192, initializer_range=0.04
    )


def stand_in_model(label_set: LabelSet, *, device: torch.device, precision: str) -> LoadedModel:
    """A model with a tag for each type of the label set, on the device: tiny on a CPU. The same weights every time.

    Its tags are random. Weights are drawn on the CPU, in float32, so that they are the same on every device.
    """
    tags = tuple(one.tag for one in label_set.types)
    vocabulary = TaggingVocabulary(ChunkTokenizer(), base_size=VOCABULARY, tags=tags, characters="")
    torch.manual_seed(0)
    configuration = llama_configuration(SMOLLM2_135M if device.type == "cuda" else TINY)
    backbone = AutoModel.from_config(configuration, dtype=torch.float32, attn_implementation=GROUPED_ATTENTION)
    network = TaggingModel(backbone, added_size=vocabulary.added_size, tag_count=len(tags), definition_rank=_RANK)
    with torch.no_grad():
        for rows in (network.added_rows, network.move_rows, network.definition_keys):
            rows.normal_(std=network.hidden_size**-0.5)
        network.move_bias[0] = _COPY_BIAS
    network.to(device=device, dtype=number_format(precision)).eval().requires_grad_(False)
    meanings = {one.tag: [one.definition_en, one.definition_zh] for one in label_set.types}
    card = ModelCard(
        "stand-in",
        "random weights",
        "0" * 64,
        TagScheme.INLINE,
        PROMPT_VERSION,
        tags,
        "",
        (label_set.name,),
        meanings=meanings,
        definition_rank=_RANK,
    )
    return LoadedModel(card, vocabulary, network)


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
