"""Whether a model directory has the rows of all its tags, told in a moment. Imports no torch."""

from pathlib import Path

from safetensors import SafetensorError, safe_open

from bioner_core.errors import ModelError
from bioner_core.models.directory import ROWS_FILE
from bioner_core.models.model_card import ModelCard
from bioner_core.tagging.moves import FIRST_OPEN


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
