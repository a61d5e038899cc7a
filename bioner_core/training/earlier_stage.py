"""Going on from a model that was fine-tuned before: its adapter, its rows, and rows for tags that are new to it."""

from collections.abc import Sequence
from pathlib import Path

import torch
from peft import set_peft_model_state_dict
from safetensors.torch import load_file

from bioner_core.errors import ModelError
from bioner_core.labels.label_set import LabelSet
from bioner_core.models.adapter_config import read_adapter_config
from bioner_core.models.base_model import base_digest
from bioner_core.models.directory import ADAPTER_FOLDER, ADAPTER_WEIGHTS, model_folder
from bioner_core.models.extension import extend_model, find_unseen_tags
from bioner_core.models.loading import load_model
from bioner_core.models.model_card import ModelCard, read_card
from bioner_core.models.model_files import adapter_fits, load_rows, row_names
from bioner_core.models.prompt import PROMPT_VERSION
from bioner_core.training.settings import SftSettings, Tuning
from bioner_core.training.trainable import TrainableModel


def run_prompt_version(settings: SftSettings) -> str:
    """The prompt version that a run trains with: the newest, or that of the stage that it goes on from."""
    return read_card(model_folder(settings.start_model)).prompt_version if settings.start_model else PROMPT_VERSION


def tags_with_earlier(folder: Path, label_sets: Sequence[LabelSet]) -> tuple[str, ...]:
    """The tags of the model in the folder, free ones included, in their order; behind them those that are new to it."""
    own = read_card(folder).tags
    wanted = dict.fromkeys(one.tag for label_set in label_sets for one in label_set.types)
    return (*own, *(tag for tag in wanted if tag not in own))


def take_up_model(
    trainable: TrainableModel, folder: Path, *, settings: SftSettings, label_sets: Sequence[LabelSet]
) -> None:
    """Start from a model directory: load its adapter and rows, and compose rows for tags that it does not know.

    Raises:
        ModelError: the directory is damaged, or has another base or scheme, or an adapter of other sizes or another
            scale than this run.
    """
    card = read_card(folder)
    for name, theirs, ours in _must_be_equal(card, settings):
        if theirs != ours:
            raise ModelError(
                f"start_model {folder}: its {name} are not those of this run; "
                "use the base and scheme that it was trained with, or start from the base"
            )
    file = folder / ADAPTER_FOLDER / ADAPTER_WEIGHTS
    if not adapter_fits(file, trainable.adapted):
        raise ModelError(
            f"start_model {folder}: its adapter has other layers or another rank; use its tuning and lora_rank"
        )
    _check_scale(folder, settings)
    set_peft_model_state_dict(trainable.adapted, load_file(file))
    if trainable.vocabulary.tags == card.tags:
        load_rows(folder, trainable.model)
    else:
        _compose_rows(trainable, folder, label_sets)


def _check_scale(folder: Path, settings: SftSettings) -> None:
    """What LoRA matrices add is multiplied by alpha / rank: under another alpha the same matrices are another model."""
    alpha = read_adapter_config(folder / ADAPTER_FOLDER).lora_alpha
    if settings.tuning is not Tuning.FULL and alpha != settings.lora_alpha:
        raise ModelError(
            f"start_model {folder}: its adapter was trained with lora_alpha = {alpha:g}, and this run has "
            f"lora_alpha = {settings.lora_alpha}; set lora_alpha = {alpha:g}"
        )


def _compose_rows(trainable: TrainableModel, folder: Path, label_sets: Sequence[LabelSet]) -> None:
    """The rows that annotation without training would use for the new tags: a far better start than none."""
    earlier = load_model(folder, device="cpu", precision="float32")
    network = extend_model(earlier, find_unseen_tags(earlier, label_sets)).network
    with torch.no_grad():
        for name in row_names(trainable.model):
            getattr(trainable.model, name).copy_(getattr(network, name))


def _must_be_equal(card: ModelCard, settings: SftSettings) -> list[tuple[str, object, object]]:
    return [
        ("base weights", card.base_sha256, base_digest(settings.base)),
        ("scheme", card.scheme, settings.scheme),
    ]
