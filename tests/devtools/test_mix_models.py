"""A model whose adapter lies between those of two models of one descent."""

import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from bioner_core.errors import ConfigurationError, ModelError
from bioner_core.models.loading import load_model
from bioner_core.models.model_card import read_card, write_card
from bioner_core.tagging.moves import FIRST_OPEN
from bioner_core.training.sft import SftRun
from devtools.mix_models import main, mix_models
from tests.bioner_core.training.training_samples import tiny_settings

_ADAPTER = "adapter/adapter_model.safetensors"
SHIFT = 1.0
"""How far the second adapter is moved from what was trained."""


@pytest.fixture
def descent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model, `first`, and one that was trained from it, `second`."""
    settings = tiny_settings(tmp_path, monkeypatch, max_tokens=120)
    SftRun(settings, tmp_path / "first", log=lambda _: None).train()
    later = dataclasses.replace(settings, start_model=str(tmp_path / "first"))
    SftRun(later, tmp_path / "second", log=lambda _: None).train()
    # So few steps move the adapter by less than it is rounded by: a wrong share would be no difference.
    weights = load_file(tmp_path / "second" / _ADAPTER)
    save_file(
        {name: (one.float() + SHIFT).to(one.dtype) for name, one in weights.items()}, tmp_path / "second" / _ADAPTER
    )
    return tmp_path


def test_the_adapter_lies_between_and_all_else_is_the_first_ones(descent: Path) -> None:
    """Would catch a share that is taken of the wrong model, and rows that are mixed although tags differ."""
    mix_models(descent / "second", descent / "first", output=descent / "mixed", share=0.25)
    first, second, mixed = (load_file(descent / name / _ADAPTER) for name in ("first", "second", "mixed"))
    for name, one in mixed.items():
        assert one.dtype == second[name].dtype
        between = second[name].float() + 0.25 * (first[name].float() - second[name].float())
        assert one.equal(between.to(one.dtype)) or (one.float() - between).abs().max() < 0.01 * SHIFT
    kept, written = (load_file(descent / name / "rows.safetensors") for name in ("second", "mixed"))
    assert all(kept[name].equal(written[name]) for name in kept)
    assert load_model(descent / "mixed", precision="float32").card == read_card(descent / "second")


def test_rows_lie_between_too_where_that_is_asked(descent: Path) -> None:
    """Would catch rows that stay the first one's."""
    first, second = (load_file(descent / name / "rows.safetensors") for name in ("first", "second"))
    moved = {name: (one.float() + SHIFT).to(one.dtype) for name, one in second.items()}
    save_file(moved, descent / "second" / "rows.safetensors")
    mix_models(descent / "second", descent / "first", output=descent / "mixed", share=0.5, rows=True)
    mixed = load_file(descent / "mixed" / "rows.safetensors")
    for name, one in mixed.items():
        between = (moved[name].float() + first[name].float()) / 2
        assert (one.float() - between).abs().max() < 0.01 * SHIFT


def test_rows_of_tags_are_mixed_by_name(descent: Path) -> None:
    """Would catch rows that are mixed place by place, and a tag new to the second stage that loses its row."""
    card, rows = read_card(descent / "first"), load_file(descent / "first" / "rows.safetensors")
    missing, *others = card.tags
    order = others[::-1]
    places = [card.tags.index(tag) for tag in order]
    added, count = rows["added_rows"], len(card.tags)
    earlier = rows | {
        "added_rows": torch.cat((added[:count][places], added[count:])) + SHIFT,
        "move_rows": torch.cat((rows["move_rows"][:FIRST_OPEN], rows["move_rows"][FIRST_OPEN:][places])) + SHIFT,
        "move_bias": torch.cat((rows["move_bias"][:FIRST_OPEN], rows["move_bias"][FIRST_OPEN:][places])) + SHIFT,
    }
    save_file(earlier, descent / "first" / "rows.safetensors")
    write_card(dataclasses.replace(card, tags=tuple(order)), descent / "first")
    save_file(rows, descent / "second" / "rows.safetensors")
    mix_models(descent / "second", descent / "first", output=descent / "mixed", share=0.5, rows=True)
    mixed = load_file(descent / "mixed" / "rows.safetensors")
    for name, place in (("added_rows", 0), ("move_rows", FIRST_OPEN), ("move_bias", FIRST_OPEN)):
        moved = (mixed[name].float() - rows[name].float()) / (0.5 * SHIFT)
        assert moved[place].abs().max() == 0, f"{missing} is new, so its row stays"
        rest = torch.cat((moved[:place], moved[place + 1 :]))
        assert (rest - 1).abs().max() < 0.01, f"{name} of other tags"


def test_rows_of_other_characters_are_refused(descent: Path) -> None:
    """Would catch rows of characters that are mixed place by place."""
    card = read_card(descent / "first")
    write_card(dataclasses.replace(card, characters=card.characters[::-1]), descent / "first")
    with pytest.raises(ModelError, match="different characters"):
        mix_models(descent / "second", descent / "first", output=descent / "other", share=0.5, rows=True)
    assert not (descent / "other").exists()


def test_models_of_other_bases_and_odd_shares_are_refused(descent: Path) -> None:
    """Would catch a mixture of weights that mean different things."""
    with pytest.raises(ConfigurationError, match=r"share = 1\.5"):
        mix_models(descent / "second", descent / "first", output=descent / "mixed", share=1.5)
    other = descent / "first"
    write_card(dataclasses.replace(read_card(other), base_sha256="0" * 64), other)
    with pytest.raises(ModelError, match="different base models"):
        mix_models(descent / "second", other, output=descent / "mixed", share=0.5)


def test_a_model_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Would catch a traceback for a mistyped name."""
    assert main(["nobody", "smollm2", str(tmp_path / "mixed")]) == 1
    assert "nobody" in capsys.readouterr().err
    assert not (tmp_path / "mixed").exists()
