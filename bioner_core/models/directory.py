"""The files of a model directory: where models are and what their weights' digest is. Imports no torch."""

import hashlib
from pathlib import Path

from bioner_core.file_digest import sha256_of_file
from bioner_core.models.model_card import read_card

ADAPTER_FOLDER = "adapter"
ROWS_FILE = "rows.safetensors"
SELECTOR_FILE = "selector.safetensors"
DEFAULT_MODEL = "default"


def model_folder(name_or_path: str = DEFAULT_MODEL) -> Path:
    """The directory of a model: `default` for the one that ships, else a path.

    Raises:
        ModelError: there is no model there.
    """
    folder = Path(__file__).parent / DEFAULT_MODEL if name_or_path == DEFAULT_MODEL else Path(name_or_path)
    read_card(folder)
    return folder


def files_digest(folder: Path) -> str:
    """Digest, by name and content, of the weights and the adapter's settings; training checkpoints do not count."""
    digest = hashlib.sha256()
    adapter = folder / ADAPTER_FOLDER
    # The adapter's scale stands in its configuration, so that is part of the weights.
    for file in sorted([*folder.glob("*.safetensors"), *adapter.glob("*.safetensors"), *adapter.glob("*.json")]):
        digest.update(f"{file.relative_to(folder).as_posix()} {sha256_of_file(file)}\n".encode())
    return digest.hexdigest()
