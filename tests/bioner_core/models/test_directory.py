"""Models by name and by folder."""

from pathlib import Path

import pytest

from bioner_core.errors import ModelError
from bioner_core.labels.label_set import default_label_sets
from bioner_core.models.directory import DEFAULT_NAME, bundled_models, is_bundled, label_sets_of, model_folder
from bioner_core.models.model_card import read_card


def test_a_bundled_model_is_found_by_its_name() -> None:
    """Would catch a model that ships and that nobody can name, or a default that is not one of them."""
    assert DEFAULT_NAME in bundled_models()
    assert model_folder() == model_folder("default") == model_folder(DEFAULT_NAME)
    for name in bundled_models():
        assert is_bundled(name)
        assert read_card(model_folder(name)).name


def test_what_ships_of_fine_tuning_stays_small() -> None:
    """Would catch a model added beside the others, and a package that grows with each: 50 MB are for all together."""
    files = [path for name in bundled_models() for path in model_folder(name).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 50_000_000


def test_a_folder_of_the_same_name_needs_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a bundled model that is replaced by whatever lies in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / DEFAULT_NAME).mkdir()
    assert model_folder(DEFAULT_NAME).is_absolute()
    with pytest.raises(ModelError, match="is no model directory"):
        model_folder(f"./{DEFAULT_NAME}")


def test_a_mistyped_name_lists_the_names(tmp_path: Path) -> None:
    """Would catch a message about a missing card to someone who mistyped a name."""
    with pytest.raises(ModelError, match=f"no such folder.*default, .*{DEFAULT_NAME}"):
        model_folder(str(tmp_path / "smolm2"))


def test_each_bundled_model_is_used_with_label_sets_that_it_was_trained_for() -> None:
    """Catches a model that ships and, unasked, looks for types that it has never learned."""
    assert label_sets_of() == default_label_sets()
    assert [one.name for one in label_sets_of("smollm2")] == ["genia", "bc5cdr", "cmeee"]
    for name in bundled_models():
        assert {one.name for one in label_sets_of(name)} <= set(read_card(model_folder(name)).label_sets)
