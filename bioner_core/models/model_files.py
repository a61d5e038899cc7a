"""Writing and reading model directories: card, adapter, rows, selector. Safetensors only, never pickle."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from bioner_core.errors import ModelError
from bioner_core.models.model_card import ModelCard, read_card, write_card
from bioner_core.models.tagging_model import TaggingModel

ADAPTER_FOLDER = "adapter"
ROWS_FILE = "rows.safetensors"
SELECTOR_FILE = "selector.safetensors"
DEFAULT_MODEL = "default"

_ROWS = ("added_rows", "move_rows", "move_bias")


def model_folder(name_or_path: str = DEFAULT_MODEL) -> Path:
    """The directory of a model: `default` for the one that ships, else a path.

    Raises:
        ModelError: there is no model there.
    """
    folder = Path(__file__).parent / DEFAULT_MODEL if name_or_path == DEFAULT_MODEL else Path(name_or_path)
    read_card(folder)
    return folder


def save_model(folder: Path, card: ModelCard, *, model: TaggingModel, adapted: Any) -> None:
    """Write what fine-tuning changed: the adapter in bfloat16 as peft saves it, the rows in float16, and the card."""
    folder.mkdir(parents=True, exist_ok=True)
    adapted.save_pretrained(str(folder / ADAPTER_FOLDER), safe_serialization=True)
    _forget_machine(folder / ADAPTER_FOLDER, card.base)
    rows = {name: getattr(model, name).detach().to(torch.float16).cpu().contiguous() for name in _ROWS}
    save_file(rows, folder / ROWS_FILE)
    write_card(card, folder)


def _forget_machine(adapter: Path, base: str) -> None:
    """peft writes the base's local path and a template card; the base's name and our own card replace them."""
    (adapter / "README.md").unlink(missing_ok=True)
    configuration = adapter / "adapter_config.json"
    content = json.loads(configuration.read_text(encoding="utf-8"))
    content["base_model_name_or_path"] = base
    configuration.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def load_rows(folder: Path, model: TaggingModel) -> None:
    """Load the added rows into a model.

    Raises:
        ModelError: the file is missing or of other sizes than the card says.
    """
    try:
        tensors = load_file(folder / ROWS_FILE)
        with torch.no_grad():
            for name in _ROWS:
                getattr(model, name).copy_(tensors[name])
    except (OSError, KeyError, RuntimeError) as error:
        raise ModelError(f"{folder / ROWS_FILE} is missing or damaged: {error}") from error


def files_digest(folder: Path) -> str:
    """Digest of every weight file of a model directory, by name and content."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.safetensors")):
        with file.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        digest.update(f"{file.relative_to(folder).as_posix()} {content}\n".encode())
    return digest.hexdigest()
