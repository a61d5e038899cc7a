"""The files of a model directory: where models are, what their weights' digest is, and whether they are whole.

Imports no torch: all of it is told in a moment, before a model is loaded.
"""

import hashlib
from pathlib import Path

from safetensors import SafetensorError, safe_open

from bioner_core.errors import ModelError, UnknownModelError
from bioner_core.file_digest import sha256_of_file
from bioner_core.labels.label_set import LabelSet, default_label_sets, load_label_set
from bioner_core.models.model_card import CARD_FILE, ModelCard, read_card
from bioner_core.tagging.moves import FIRST_OPEN

ADAPTER_FOLDER = "adapter"
ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
"""The files of an adapter's folder in which peft keeps settings and tensors."""

ROWS_FILE = "rows.safetensors"
SELECTOR_FILE = "selector.safetensors"
DEFAULT_MODEL = "default"

DEFAULT_NAME = "pubtator"
"""The bundled model that `default` stands for."""

_DIGESTED = (
    f"{ADAPTER_FOLDER}/{ADAPTER_CONFIG}",
    f"{ADAPTER_FOLDER}/{ADAPTER_WEIGHTS}",
    ROWS_FILE,
    SELECTOR_FILE,
)
"""The files of a model that answers depend on, beside its card. The adapter's scale stands in its settings."""

_BUNDLED = Path(__file__).parent / "bundled"


def bundled_models() -> tuple[str, ...]:
    """The names of the models that come with bioner, sorted; each has its card, and its files, in a folder."""
    return tuple(sorted(folder.name for folder in _BUNDLED.iterdir() if (folder / CARD_FILE).is_file()))


def is_bundled(name_or_path: str) -> bool:
    """Whether this names a model that comes with bioner; a folder of the same name is written `./name`."""
    return name_or_path == DEFAULT_MODEL or name_or_path in bundled_models()


def model_folder(name_or_path: str = DEFAULT_MODEL) -> Path:
    """The directory of a model: by the name of one that comes with bioner, `default` among them, else by its path.

    Raises:
        ModelError: there is no model there; the message has the names of those that come with bioner.
    """
    if is_bundled(name_or_path):
        return _BUNDLED / (DEFAULT_NAME if name_or_path == DEFAULT_MODEL else name_or_path)
    folder = Path(name_or_path)
    if not folder.exists():
        names = ", ".join((DEFAULT_MODEL, *bundled_models()))
        raise UnknownModelError(
            f"model {name_or_path!r}: no such folder, and not the name of a model that ships ({names})"
        )
    read_card(folder)
    return folder


def label_sets_of(name_or_path: str = DEFAULT_MODEL) -> tuple[LabelSet, ...]:
    """The label sets that a model is used with where nobody names any: its card's, or else the bundled default ones.

    A model for English genes and species is not asked for Chinese symptoms because the default model is.

    Raises:
        ModelError: there is no such model.
        ConfigurationError: its card names a label set that there is not.
    """
    names = read_card(model_folder(name_or_path)).default_label_sets
    return tuple(load_label_set(name) for name in names) or default_label_sets()


def files_digest(folder: Path) -> str:
    """Digest, by name and content, of the files that an annotator reads; what training leaves there does not count."""
    digest = hashlib.sha256()
    for name in _DIGESTED:
        if (folder / name).is_file():  # a model may be without a selector
            digest.update(f"{name} {sha256_of_file(folder / name)}\n".encode())
    return digest.hexdigest()


def check_rows(folder: Path, card: ModelCard) -> None:
    """Compare the number of rows in the file with the tags and characters on the card; weights are not read.

    Raises:
        ModelError: the file is missing or damaged, or lacks rows.
    """
    path = folder / ROWS_FILE
    tags = len(card.tags)
    wanted = {"added_rows": tags + 1 + len(card.characters), "move_rows": FIRST_OPEN + tags}
    try:
        with safe_open(path, framework="numpy") as file:
            found = {name: file.get_slice(name).get_shape()[0] for name in wanted}
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} is missing or damaged ({error}): the model has no rows for its tags") from error
    if found != wanted:
        raise ModelError(f"{path} has {found}, but the card's {tags} tags and their characters want {wanted}")


def check_selector(folder: Path, card: ModelCard) -> None:
    """Whether a model whose card has thresholds for a selector has the selector too.

    Raises:
        ModelError: it has not: every candidate would be accepted, with the score 1.
    """
    path = folder / SELECTOR_FILE
    if (card.thresholds or card.type_thresholds or card.common_threshold) and not path.is_file():
        raise ModelError(
            f"{path} is missing, and the card has thresholds for it: take the model anew, or accept every candidate "
            "(--no-selector)"
        )


def share_as_folder(file: Path) -> None:
    """Let a file be read by whoever may read its folder.

    Safetensors makes files that their owner alone may read, and actors may run as somebody else.
    """
    file.chmod(file.parent.stat().st_mode & 0o666)
