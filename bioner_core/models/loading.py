"""Loading a fine-tuned model for inference: base, adapter merged in, added rows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors import SafetensorError, safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer

from bioner_core.errors import ConfigurationError, ModelError
from bioner_core.models.adapter_config import read_adapter_config
from bioner_core.models.attention import GROUPED_ATTENTION
from bioner_core.models.base_model import base_digest, base_folder, check_base
from bioner_core.models.directory import ADAPTER_CONFIG, ADAPTER_FOLDER, ADAPTER_WEIGHTS
from bioner_core.models.int8 import quantise
from bioner_core.models.model_card import ModelCard, int8_is_good, read_card
from bioner_core.models.model_files import adapter_fits, load_rows
from bioner_core.models.precision import AUTO, INT8, number_format
from bioner_core.models.precision_choice import choose_precision
from bioner_core.models.prompt import READABLE_PROMPTS
from bioner_core.models.tagging_model import TaggingModel
from bioner_core.models.vocabulary import TaggingVocabulary

_ADAPTER_FILES = (ADAPTER_CONFIG, ADAPTER_WEIGHTS)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to decode: its card, its vocabulary, and the network on its device."""

    card: ModelCard
    vocabulary: TaggingVocabulary
    network: TaggingModel
    has_int8_products: bool = False

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.network.added_rows.device

    @property
    def number_format(self) -> str:
        """What the network computes in: `bfloat16`, `float32` or `int8`."""
        return INT8 if self.has_int8_products else str(self.network.added_rows.dtype).removeprefix("torch.")


def default_device() -> str:
    """`cuda` where there is a GPU, else `cpu`."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def device_of(name: str | None = None) -> torch.device:
    """The device of this name, `cpu`, `cuda` or `cuda:1`; without one the default device.

    Raises:
        ConfigurationError: there is no such device here.
    """
    unknown = ConfigurationError(f"device: {name!r}; choose cpu, cuda, or one GPU such as cuda:0")
    try:
        device = torch.device(name or default_device())
    except (RuntimeError, TypeError) as error:
        raise unknown from error
    if device.type not in ("cpu", "cuda"):
        raise unknown
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigurationError(f"device: {name!r}, but torch sees {torch.cuda.device_count()} GPUs here; choose cpu")
    return device


def load_model(folder: Path, *, device: str | None = None, precision: str = AUTO) -> LoadedModel:
    """Load a model directory.

    Raises:
        ModelError: the base is missing or another one than the card names, or a file is damaged.
        ConfigurationError: unknown precision or device.
    """
    place = device_of(device)
    card = read_card(folder)
    _check_card(card, folder)
    check_base(card.base)
    base = str(base_folder(card.base))
    chosen = choose_precision(
        precision, on_gpu=place.type == "cuda", base=Path(base), int8_is_good=int8_is_good(card.int8)
    )
    target = number_format(chosen.name)
    backbone = _merged_backbone(base, folder / ADAPTER_FOLDER, attention=GROUPED_ATTENTION, target=target)
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
    network.to(device=place, dtype=target).eval().requires_grad_(False)
    if chosen.name == INT8:
        quantise(network, tokenizer)
    return LoadedModel(card, vocabulary, network, has_int8_products=chosen.name == INT8)


def _merged_backbone(base: str, adapter: Path, *, attention: str, target: torch.dtype) -> Any:
    """The base without its head, the adapter merged in, as if both had been float32 and were rounded to `target` once.

    A base whose files hold `target` is held so, and not in float32: an actor of a base of 8 billion parameters takes 16
    GB of memory then, and not 32.
    """
    for name in _ADAPTER_FILES:
        # Without this, peft would look for a missing file on the network, or take a pickle instead.
        if not (adapter / name).is_file():
            raise ModelError(f"{adapter / name} is missing: the model directory is not whole")
    config = read_adapter_config(adapter)
    # peft adds a float32 change to each weight in one step, rounded once; only DoRA's steps run in the base's own type.
    exact = stored_number_format(Path(base)) == target and not config.use_dora
    language_model = AutoModelForCausalLM.from_pretrained(
        base,
        dtype=target if exact else torch.float32,
        attn_implementation=attention,
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=False,  # said outright: left out, transformers asks on the terminal
    )
    try:
        adapted = PeftModel.from_pretrained(language_model, str(adapter), config=config)
    except (SafetensorError, RuntimeError, ValueError) as error:
        raise ModelError(f"the adapter in {adapter} is damaged or belongs to another base: {error}") from error
    if not adapter_fits(adapter / ADAPTER_WEIGHTS, adapted):
        raise ModelError(
            f"{adapter / ADAPTER_WEIGHTS}: other tensors than {ADAPTER_CONFIG} and the base want: it is damaged, or "
            "belongs to another model; take the model anew"
        )
    return adapted.merge_and_unload().base_model


def stored_number_format(folder: Path) -> torch.dtype:
    """What the weights of a base are stored in: bfloat16 or float16 if all of them are, else float32.

    Raises:
        ModelError: a file is damaged.
    """
    found: set[str] = set()
    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, framework="pt") as file:
                found |= {file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118  not a mapping
        except (OSError, SafetensorError) as error:
            raise ModelError(f"{path} is damaged: {error}; put the base's files there anew") from error
    half = {"BF16": torch.bfloat16, "F16": torch.float16}
    return half[found.pop()] if len(found) == 1 and found <= half.keys() else torch.float32


def _check_card(card: ModelCard, folder: Path) -> None:
    if card.prompt_version not in READABLE_PROMPTS:
        raise ModelError(
            f"{folder} was trained with prompt version {card.prompt_version}, this bioner writes "
            f"{' and '.join(READABLE_PROMPTS)}: train it again or use the bioner version that made it"
        )
    found = base_digest(card.base)
    if found != card.base_sha256:
        raise ModelError(f"{folder} was trained on a base with digest {card.base_sha256}, but {card.base} has {found}")
