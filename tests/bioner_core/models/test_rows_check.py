"""A model directory without the rows of its tags is found out before anything starts."""

from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import save_file

from bioner_core.errors import ModelError
from bioner_core.models.directory import ROWS_FILE, check_rows, model_folder
from bioner_core.models.model_card import ModelCard, read_card
from bioner_core.tagging.scheme import TagScheme
from tests.bioner_core.tiny_model import TYPES, tiny_model

CARD = ModelCard("tiny", "tiny", "0", TagScheme.INLINE, "1", TYPES, "病肺", ("full",))


def write_rows(folder: Path, *, without: str = "") -> None:
    """The rows of a small model with three tags and two characters."""
    model = tiny_model(1)
    names = {"added_rows", "move_rows", "move_bias"} - {without}
    save_file({name: getattr(model, name).detach().half() for name in names}, folder / ROWS_FILE)


def test_whole_models_pass(tmp_path: Path) -> None:
    """A check that refuses the model that ships."""
    check_rows(model_folder(), read_card(model_folder()))
    write_rows(tmp_path)
    check_rows(tmp_path, CARD)


def test_a_tag_without_a_row_is_refused(tmp_path: Path) -> None:
    """A tag that an actor would look up past the end of the table."""
    write_rows(tmp_path)
    with pytest.raises(ModelError, match=r"has .*'move_rows': 5.* want .*'move_rows': 6"):
        check_rows(tmp_path, replace(CARD, tags=(*TYPES, "delta")))


def test_missing_rows_are_refused(tmp_path: Path) -> None:
    """A folder with a card and nothing else, a file cut short, or one without the rows of the moves."""
    with pytest.raises(ModelError, match=r"rows.safetensors is missing"):
        check_rows(tmp_path, CARD)
    (tmp_path / ROWS_FILE).write_bytes(b"\x10\0\0\0\0\0\0\0{")
    with pytest.raises(ModelError, match="damaged"):
        check_rows(tmp_path, CARD)
    write_rows(tmp_path, without="move_rows")
    with pytest.raises(ModelError, match="no rows for its tags"):
        check_rows(tmp_path, CARD)
