"""Writing a model directory's weights, and reading them back. Safetensors only, never pickle."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import get_peft_model_state_dict
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from bioner_core.errors import ModelError
from bioner_core.models.directory import ADAPTER_CONFIG, ADAPTER_FOLDER, ADAPTER_WEIGHTS, ROWS_FILE, share_as_folder
from bioner_core.models.model_card import ModelCard, write_card
from bioner_core.models.tagging_model import TaggingModel

_ROWS = ("added_rows", "move_rows", "move_bias")
_DEFINITION_ROWS = ("definition_keys", "definition_queries")


def save_model(folder: Path, card: ModelCard, *, model: TaggingModel, adapted: Any) -> None:
    """Write what fine-tuning changed: LoRA in bfloat16 whatever it was trained in, rows in float16, and the card."""
    folder.mkdir(parents=True, exist_ok=True)
    adapted.save_pretrained(str(folder / ADAPTER_FOLDER), safe_serialization=True)
    _round_adapter(folder / ADAPTER_FOLDER / ADAPTER_WEIGHTS)
    _forget_machine(folder / ADAPTER_FOLDER, card.base)
    rows = {name: getattr(model, name).detach().to(torch.float16).cpu() for name in row_names(model)}
    write_tensors(folder / ROWS_FILE, rows)
    write_card(card, folder)


def write_tensors(file: Path, tensors: Mapping[str, Tensor], *, metadata: Mapping[str, str] | None = None) -> None:
    """Write a file of a model, readable by whoever may read its folder."""
    save_file({name: one.contiguous() for name, one in tensors.items()}, file, dict(metadata) if metadata else None)
    share_as_folder(file)


def row_names(model: TaggingModel) -> tuple[str, ...]:
    """The names of what fine-tuning adds to the base beside the adapter."""
    return (*_ROWS, *_DEFINITION_ROWS) if len(model.definition_keys) else _ROWS


def _round_adapter(file: Path) -> None:
    """Round LoRA matrices to bfloat16: half the size, and it is rounded away beside the base's four bits.

    Copies of whole weights (full tuning) stay as they were trained: they would lose small steps.
    """
    tensors = load_file(file)
    rounded = {name: one.to(torch.bfloat16) if "lora_" in name else one for name, one in tensors.items()}
    write_tensors(file, rounded, metadata={"format": "pt"})


def _forget_machine(adapter: Path, base: str) -> None:
    """peft writes the base's local path and a template card; the base's name and our own card replace them."""
    (adapter / "README.md").unlink(missing_ok=True)
    configuration = adapter / ADAPTER_CONFIG
    content = json.loads(configuration.read_text(encoding="utf-8"))
    content["base_model_name_or_path"] = base
    if isinstance(content["target_modules"], list):
        # peft writes this set in hash order, which would make two equal trainings differ in digest
        content["target_modules"].sort()
    configuration.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def adapter_fits(file: Path, adapted: Any) -> bool:
    """Whether an adapter's file has the tensors that a network with this adapter has, by name and shape.

    peft only warns: it leaves out what fits nowhere, and what the file lacks adds nothing to the base.

    Raises:
        ModelError: the file is missing or damaged.
    """
    try:
        with safe_open(file, framework="pt") as opened:
            found = {name: torch.Size(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{file} is missing or damaged: {error}") from error
    return found == {name: value.shape for name, value in get_peft_model_state_dict(adapted).items()}


def load_rows(folder: Path, model: TaggingModel) -> None:
    """Load the added rows into a model.

    Raises:
        ModelError: the file is missing, damaged, or of other sizes than the card says.
    """
    path = folder / ROWS_FILE
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} is missing or damaged: {error}") from error
    wanted = {name: getattr(model, name).shape for name in row_names(model)}
    found = {name: tensor.shape for name, tensor in tensors.items()}
    if found != wanted:
        raise ModelError(f"{path} holds {_sizes(found)}, but the card and the base want {_sizes(wanted)}")
    with torch.no_grad():
        for name in wanted:
            getattr(model, name).copy_(tensors[name])


def _sizes(shapes: Mapping[str, torch.Size]) -> str:
    return ", ".join(f"{name} {tuple(shape)}" for name, shape in sorted(shapes.items()))
