"""A base model made trainable: weights that learn, added embedding rows, and rows of the moves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from peft import PeftModel
from torch import Tensor, nn
from transformers import AutoTokenizer, PreTrainedModel

from bioner_core.models.base_model import base_folder
from bioner_core.models.tagging_model import TaggingModel
from bioner_core.models.vocabulary import TaggingVocabulary
from bioner_core.training.settings import SftSettings
from bioner_core.training.tuning import adapt, load_frozen_base

_MOVE_ROW_SPREAD = 0.02
"""Standard deviation of the moves' rows at the start: that which language models begin their own rows with."""


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
    tokenizer = AutoTokenizer.from_pretrained(
        str(base_folder(settings.base)), local_files_only=True, trust_remote_code=False
    )
    base_size = language_model.get_input_embeddings().num_embeddings
    vocabulary = TaggingVocabulary(tokenizer, base_size=base_size, tags=tags, characters=characters)
    trainable = trainable_around(language_model, vocabulary, settings=settings)
    _initialise_rows(trainable.model, vocabulary)
    trainable.model.to(device)
    return trainable


def trainable_around(
    language_model: PreTrainedModel, vocabulary: TaggingVocabulary, *, settings: SftSettings
) -> TrainableModel:
    """Weights that learn beside those of a frozen language model, and rows for a vocabulary that are not set yet."""
    backbone = language_model.base_model
    adapted = adapt(language_model, settings)
    model = TaggingModel(
        backbone,
        added_size=vocabulary.added_size,
        tag_count=len(vocabulary.tags),
        definition_rank=settings.definition_rank,
    )
    return TrainableModel(model, vocabulary, adapted)


def one_token_of(base: str) -> Callable[[str], bool]:
    """Whether a character is one token to the base's tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(str(base_folder(base)), local_files_only=True, trust_remote_code=False)
    return lambda char: len(tokenizer.encode(char, add_special_tokens=False)) == 1


def _initialise_rows(model: TaggingModel, vocabulary: TaggingVocabulary) -> None:
    """A tag starts as the mean of its name's rows, an added character as the mean of its bytes' rows.

    Rows of the base are taken as they are held, before the scale that some bases give them, as added rows are.
    """
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
        # Like the two matrices of LoRA: one random, one zero, so that definitions change no score at first.
        model.definition_keys.normal_(std=model.hidden_size**-0.5)
