"""What a run reads, by content: a path says nothing of what lies there today.

A checkpoint keeps these digests, so that a run goes on only with the corpora, label sets, base and start model that it
began with; and candidates of the selector are known by them.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from bioner_core.errors import InputError, MissingInputError, cause_of
from bioner_core.file_digest import sha256_of, sha256_of_file
from bioner_core.labels.label_set import load_label_set
from bioner_core.models.base_model import base_digest
from bioner_core.models.directory import ADAPTER_FOLDER, ADAPTER_WEIGHTS, ROWS_FILE, model_folder
from bioner_core.models.model_card import read_card
from bioner_core.training.settings import CorpusMix, SftSettings

_OF_THE_CARD = ("scheme", "prompt_version", "tags", "characters", "meanings", "definition_rank")
"""What of a start model's card a run takes over."""


def run_inputs(settings: SftSettings) -> dict[str, str]:
    """Digests of what decides a run besides the settings that may change while it is stopped, by what they are of.

    Raises:
        InputError: a corpus cannot be read.
        ConfigurationError, ModelError: there is no such label set, base or start model.
    """
    found = corpora_contents(settings.corpora)
    found["base"] = base_digest(settings.base)
    # Of the same shape, and another model: what LoRA matrices add is multiplied by alpha / rank.
    found["lora_alpha"] = str(settings.lora_alpha)
    if settings.start_model:
        found["start_model"] = _start_model_digest(model_folder(settings.start_model))
    return found


def corpora_contents(corpora: Iterable[CorpusMix]) -> dict[str, str]:
    """Digests of the corpora's files and of their label sets, by their places in the settings, from 1.

    Raises:
        InputError: a corpus cannot be read.
        ConfigurationError: there is no such label set.
    """
    found: dict[str, str] = {}
    for number, one in enumerate(corpora, start=1):
        # As in a model's card no folder of this machine but the last: a model directory may be given away.
        path = Path(one.file)
        label_set = load_label_set(one.label_set)
        found[f"corpora {number}: {path.parent.name}/{path.name}"] = content_of(one.file)
        found[f"corpora {number}: label set {label_set.name}"] = digest_of(asdict(label_set))
    return found


def content_of(file: str) -> str:
    """The sha256 of a corpus: a file, or a folder of files.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return sha256_of(Path(file))
    except OSError as error:
        kind = MissingInputError if isinstance(error, FileNotFoundError) else InputError
        raise kind(f"{file}: {cause_of(error)}") from error


def digest_of(value: object) -> str:
    """The sha256 of what JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _start_model_digest(folder: Path) -> str:
    card = asdict(read_card(folder))
    about = {name: card[name] for name in _OF_THE_CARD}
    weights = [sha256_of_file(folder / name) for name in (f"{ADAPTER_FOLDER}/{ADAPTER_WEIGHTS}", ROWS_FILE)]
    return digest_of([about, weights])
