"""Loading a fine-tuned model for inference: base, adapter merged in, added rows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer

from bioner_core.errors import ModelError
from bioner_core.models.adapter_config import read_adapter_config
from bioner_core.models.attention import GROUPED_ATTENTION
from bioner_core.models.base_model import base_digest, base_folder
from bioner_core.models.directory import ADAPTER_FOLDER
from bioner_core.models.model_card import ModelCard, read_card
from bioner_core.models.model_files import load_rows
from bioner_core.models.precision import AUTO, number_format
from bioner_core.models.precision_choice import choose_precision
from bioner_core.models.prompt import READABLE_PROMPTS
from bioner_core.models.tagging_model import TaggingModel
from bioner_core.models.vocabulary import TaggingVocabulary

_ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to decode: its card, its vocabulary, and the network on its device."""

    card: ModelCard
    vocabulary: TaggingVocabulary
    network: TaggingModel

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.network.added_rows.device

    @property
    def number_format(self) -> str:
        """What the network computes in: `bfloat16` or `float32`."""
        return str(self.network.added_rows.dtype).removeprefix("torch.")


def default_device() -> str:
    """`cuda` where there is a GPU, else `cpu`."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def load_model(folder: Path, *, device: str | None = None, precision: str = AUTO) -> LoadedModel:
    """Load a model directory.

    Raises:
        ModelError: the base is missing or another one than the card names, or a file is damaged.
        ConfigurationError: unknown precision.
    """
    place = torch.device(device or default_device())
    card = read_card(folder)
    _check_card(card, folder)
    base = str(base_folder(card.base))
    chosen = choose_precision(precision, on_gpu=place.type == "cuda", base=Path(base))
    backbone = _merged_backbone(base, folder / ADAPTER_FOLDER, attention=GROUPED_ATTENTION)
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True, trust_remote_code=False)
    base_size = backbone.get_input_embeddings().num_embeddings
    vocabulary = TaggingVocabulary(tokenizer, base_size=base_size, tags=card.tags, characters=tuple(card.characters))
    network = TaggingModel(
        backbone,
        added_size=vocabulary.added_size,
        tag_count=len(card.tags),
        definition_rank=card.definition_rank,
    )
    load_rows(folder, network)
    network.to(device=place, dtype=number_format(chosen.name)).eval().requires_grad_(False)
    return LoadedModel(card, vocabulary, network)


def _merged_backbone(base: str, adapter: Path, *, attention: str) -> Any:
    """The base without its head, the adapter merged in, in float32: rounded once afterwards, it loses nothing."""
    for name in _ADAPTER_FILES:
        # Without this, peft would look for a missing file on the network, or take a pickle instead.
        if not (adapter / name).is_file():
            raise ModelError(f"{adapter / name} is missing: the model directory is not whole")
    language_model = AutoModelForCausalLM.from_pretrained(
        base,
        dtype=torch.float32,
        attn_implementation=attention,
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=False,  # said outright: left out, transformers asks on the terminal
    )
    try:
        adapted = PeftModel.from_pretrained(language_model, str(adapter), config=read_adapter_config(adapter))
    except (SafetensorError, RuntimeError, ValueError) as error:
        raise ModelError(f"the adapter in {adapter} is damaged or belongs to another base: {error}") from error
    return adapted.merge_and_unload().base_model


def _check_card(card: ModelCard, folder: Path) -> None:
    if card.prompt_version not in READABLE_PROMPTS:
        raise ModelError(
            f"{folder} was trained with prompt version {card.prompt_version}, this bioner writes "
            f"{' and '.join(READABLE_PROMPTS)}: train it again or use the bioner version that made it"
        )
    found = base_digest(card.base)
    if found != card.base_sha256:
        raise ModelError(f"{folder} was trained on a base with digest {card.base_sha256}, but {card.base} has {found}")
