"""A base model made trainable: LoRA adapters, added embedding rows, and rows of the moves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoTokenizer

from bioner_core.models.base_model import base_folder
from bioner_core.models.tagging_model import TaggingModel
from bioner_core.models.vocabulary import TaggingVocabulary
from bioner_core.training.settings import SftSettings

LORA_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_MOVE_ROW_SPREAD = 0.02


@dataclass(frozen=True, slots=True)
class TrainableModel:
    """A model ready to be trained, and its vocabulary. Only adapters, added rows and move rows take gradients."""

    model: TaggingModel
    vocabulary: TaggingVocabulary
    adapted: PeftModel

    @property
    def adapter_parameters(self) -> list[nn.Parameter]:
        """The LoRA matrices."""
        return [value for name, value in self.model.named_parameters() if "lora_" in name]


def make_trainable(settings: SftSettings, *, tags: Sequence[str], characters: Sequence[str]) -> TrainableModel:
    """Load the base in bfloat16, freeze it, add adapters, and initialise the added rows from what the base knows."""
    torch.manual_seed(settings.seed)
    folder = str(base_folder(settings.base))
    language_model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.bfloat16, attn_implementation="eager", local_files_only=True, use_safetensors=True
    )
    language_model.requires_grad_(False)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    base_size = language_model.get_input_embeddings().num_embeddings
    vocabulary = TaggingVocabulary(tokenizer, base_size=base_size, tags=tags, characters=characters)
    backbone = language_model.base_model
    # Adapters in bfloat16 like the base (mixed matrix products are slow); `MasterWeights` keeps their float32 copies.
    adapted = get_peft_model(language_model, lora_config(settings), autocast_adapter_dtype=False)
    model = TaggingModel(backbone, added_size=vocabulary.added_size, tag_count=len(vocabulary.tags))
    _initialise_rows(model, vocabulary)
    return TrainableModel(model, vocabulary, adapted)


def lora_config(settings: SftSettings) -> Any:
    """The adapter's shape as peft wants it."""
    return LoraConfig(r=settings.lora_rank, lora_alpha=settings.lora_alpha, target_modules=list(LORA_TARGETS))


def _initialise_rows(model: TaggingModel, vocabulary: TaggingVocabulary) -> None:
    """A tag starts as the mean of its name's rows, an added character as the mean of its bytes' rows."""
    table = model.backbone.get_input_embeddings().weight.detach().float()  # type: ignore[operator]

    def mean_row(text: str) -> Tensor:
        mean: Tensor = table[vocabulary.plain_ids(text)].mean(dim=0)
        return mean

    rows = [mean_row(" " + tag.replace("_", " ")) for tag in vocabulary.tags]
    rows.append(mean_row("]"))
    rows.extend(mean_row(char) for char in vocabulary.characters)
    with torch.no_grad():
        model.added_rows.copy_(torch.stack(rows))
        model.move_rows.normal_(std=_MOVE_ROW_SPREAD)


class MasterWeights:
    """Float32 copies of bfloat16 parameters, which the optimizer updates: bfloat16 alone would lose small steps."""

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self._parameters = list(parameters)
        self.masters = [nn.Parameter(value.detach().float().clone()) for value in parameters]

    def take_gradients(self) -> None:
        """Move the gradients of the parameters to their masters."""
        for master, value in zip(self.masters, self._parameters, strict=True):
            master.grad = None if value.grad is None else value.grad.float()
            value.grad = None

    def give_back(self) -> None:
        """Round the masters into the parameters."""
        with torch.no_grad():
            for master, value in zip(self.masters, self._parameters, strict=True):
                value.copy_(master)
