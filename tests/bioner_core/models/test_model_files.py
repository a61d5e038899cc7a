"""The added rows of a model directory: all of them, of the right sizes, or an error that names the file."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from bioner_core.errors import ModelError
from bioner_core.models.directory import ROWS_FILE
from bioner_core.models.model_files import load_rows, write_tensors
from tests.bioner_core.tiny_model import tiny_model


def rows_of(seed: int) -> dict[str, Tensor]:
    """The rows of a small model as they are saved."""
    model = tiny_model(seed)
    return {name: getattr(model, name).detach().half() for name in ("added_rows", "move_rows", "move_bias")}


def test_rows_come_back(tmp_path: Path) -> None:
    """Would catch rows that are loaded into each other's place."""
    rows, model = rows_of(1), tiny_model(2)
    save_file(rows, tmp_path / ROWS_FILE)
    load_rows(tmp_path, model)
    assert all(torch.equal(getattr(model, name).half(), value) for name, value in rows.items())


@pytest.mark.parametrize(
    "changes",
    [
        {"added_rows": torch.zeros(1, 48)},
        {"move_bias": torch.zeros(1)},
        {"move_rows": torch.zeros(6, 48)},
        {"stranger": torch.zeros(1)},
    ],
)
def test_rows_of_other_sizes_are_refused(tmp_path: Path, changes: dict[str, Tensor]) -> None:
    """Would catch rows that torch spreads silently over a model with more of them, or rows of another tag set."""
    save_file(rows_of(1) | changes, tmp_path / ROWS_FILE)
    with pytest.raises(ModelError, match=rf"rows\.safetensors holds .*{next(iter(changes))}"):
        load_rows(tmp_path, tiny_model(2))


def test_missing_rows_are_named(tmp_path: Path) -> None:
    """Would catch a model that answers with rows of zeros."""
    rows = rows_of(1)
    del rows["move_bias"]
    save_file(rows, tmp_path / ROWS_FILE)
    with pytest.raises(ModelError, match=r"want .*move_bias"):
        load_rows(tmp_path, tiny_model(2))


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o700])
def test_weights_are_readable_by_whoever_may_read_their_folder(tmp_path: Path, mode: int) -> None:
    """Would catch a model on a shared folder whose cards others can read, and whose weights they cannot."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model").chmod(mode)
    file = tmp_path / "model" / ROWS_FILE
    write_tensors(file, rows_of(1))
    assert file.stat().st_mode & 0o777 == mode & 0o666
