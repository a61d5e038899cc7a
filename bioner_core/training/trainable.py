"""A base model made trainable: weights that learn, added embedding rows, and rows of the moves."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import AutoTokenizer

from bioner_core.errors import ModelError
from bioner_core.models.base_model import base_digest, base_folder
from bioner_core.models.directory import ADAPTER_FOLDER
from bioner_core.models.model_card import ModelCard, read_card
from bioner_core.models.model_files import load_rows
from bioner_core.models.prompt import PROMPT_VERSION
from bioner_core.models.tagging_model import TaggingModel
from bioner_core.models.vocabulary import TaggingVocabulary
from bioner_core.training.settings import SftSettings
from bioner_core.training.tuning import adapt, load_frozen_base

_MOVE_ROW_SPREAD = 0.02


@dataclass(frozen=True, slots=True)
class TrainableModel:
    """A model ready to be trained, and its vocabulary. Only adapters, added rows and move rows take gradients."""

    model: TaggingModel
    vocabulary: TaggingVocabulary
    adapted: PeftModel

    @property
    def adapter_parameters(self) -> list[nn.Parameter]:
        """What is trained of the base: LoRA matrices, or copies of its weights."""
        return [value for value in self.model.backbone.parameters() if value.requires_grad]


def make_trainable(
    settings: SftSettings, *, tags: Sequence[str], characters: Sequence[str], device: torch.device
) -> TrainableModel:
    """Load and freeze the base, put weights that learn into it, and initialise the added rows from what it knows."""
    torch.manual_seed(settings.seed)
    language_model = load_frozen_base(settings, device)
    tokenizer = AutoTokenizer.from_pretrained(str(base_folder(settings.base)), local_files_only=True)
    base_size = language_model.get_input_embeddings().num_embeddings
    vocabulary = TaggingVocabulary(tokenizer, base_size=base_size, tags=tags, characters=characters)
    backbone = language_model.base_model
    adapted = adapt(language_model, settings)
    model = TaggingModel(backbone, added_size=vocabulary.added_size, tag_count=len(vocabulary.tags))
    _initialise_rows(model, vocabulary)
    return TrainableModel(model.to(device), vocabulary, adapted)


def take_up_model(trainable: TrainableModel, folder: Path, settings: SftSettings) -> None:
    """Start from an earlier stage: load a model directory's adapter and rows.

    Raises:
        ModelError: the directory is damaged, or has another base, scheme or prompt, other tags or added characters, or
            other adapter sizes than this run.
    """
    card = read_card(folder)
    for name, theirs, ours in _must_be_equal(card, trainable, settings):
        if theirs != ours:
            raise ModelError(
                f"start_model {folder}: its {name} are not those of this run (base, scheme and corpora decide them); "
                "train on as it was trained, or start from the base"
            )
    found = _adapter_tensors(folder / ADAPTER_FOLDER / "adapter_model.safetensors")
    wanted = {name: value.shape for name, value in get_peft_model_state_dict(trainable.adapted).items()}
    if {name: value.shape for name, value in found.items()} != wanted:
        raise ModelError(
            f"start_model {folder}: its adapter has other layers or another rank; use its tuning and lora_rank"
        )
    set_peft_model_state_dict(trainable.adapted, found)
    load_rows(folder, trainable.model)


def _adapter_tensors(file: Path) -> dict[str, Tensor]:
    try:
        tensors: dict[str, Tensor] = load_file(file)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"start_model: {file} is missing or damaged: {error}") from error
    return tensors


def _must_be_equal(
    card: ModelCard, trainable: TrainableModel, settings: SftSettings
) -> list[tuple[str, object, object]]:
    vocabulary = trainable.vocabulary
    return [
        ("base weights", card.base_sha256, base_digest(settings.base)),
        ("scheme and prompt", (card.scheme, card.prompt_version), (settings.scheme, PROMPT_VERSION)),
        ("tags", card.tags, vocabulary.tags),
        ("added characters", card.characters, "".join(vocabulary.characters)),
    ]


def _initialise_rows(model: TaggingModel, vocabulary: TaggingVocabulary) -> None:
    """A tag starts as the mean of its name's rows, an added character as the mean of its bytes' rows."""
    table = model.backbone.get_input_embeddings().weight.detach()  # type: ignore[operator]

    def mean_row(text: str) -> Tensor:
        mean: Tensor = table[vocabulary.plain_ids(text)].float().mean(dim=0)
        return mean

    rows = [mean_row(" " + tag.replace("_", " ")) for tag in vocabulary.tags]
    rows.append(mean_row("]"))
    rows.extend(mean_row(char) for char in vocabulary.characters)
    with torch.no_grad():
        model.added_rows.copy_(torch.stack(rows))
        model.move_rows.normal_(std=_MOVE_ROW_SPREAD)
