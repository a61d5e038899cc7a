"""The page of a model: made from its card, and the shipped one is."""

import dataclasses
from pathlib import Path

import pytest

from bioner_core.errors import ModelError
from bioner_core.models.bases import PULLABLE
from bioner_core.models.card_page import card_page, model_page
from bioner_core.models.directory import bundled_models, model_folder
from bioner_core.models.model_card import read_card, write_card
from bioner_core.models.tag_choice import free_tags
from tests.bioner_core.models.model_samples import CARD, write_sample

ABOUT = {
    "title": "A title",
    "summary": "What it is.\n",
    "intended_use": "Tests.",
    "limits": "Many.",
    "notes": "A note.",
    "data": [{"corpus": "One", "part": "train", "terms": "a | b"}, {"corpus": "Two", "source": "somewhere"}],
}


def test_the_shipped_page_is_that_of_the_shipped_card() -> None:
    """Catches a page edited by hand, or a card that changed without it: `bioner models show --markdown` makes it."""
    folder = model_folder()
    assert (folder / "MODEL_CARD.md").read_text(encoding="utf-8") == model_page(folder)


def test_the_shipped_card_has_what_a_reader_must_know() -> None:
    """Catches a default model without data, terms, command, seed, scores, limits or intended use."""
    card = read_card(model_folder())
    assert {"title", "summary", "intended_use", "limits", "data"} <= set(card.about)
    assert all(one["terms"] for one in card.about["data"])
    assert {"command", "seed"} <= set(card.training)
    assert card.metrics


def test_everything_in_the_card_is_on_the_page(tmp_path: Path) -> None:
    """Catches a section that is lost on the way through the file, and a value that breaks its table."""
    training = {"seed": 13, "tokens": 1234567, "commit": "abc", "train_command": "bioner train", "mix": {"genia": 0.5}}
    card = dataclasses.replace(CARD, about=ABOUT, training=training, metrics={"genia test": {"f1": 74.5}})
    folder = write_sample(tmp_path / "model", card)
    assert read_card(folder) == card
    page = model_page(folder)
    for words in (
        "# A title\n\nWhat it is.\n",
        "| seed | 13 |",
        "| tokens | 1,234,567 |",
        "| commit | `abc` |",
        "| train command | `bioner train` |",
        "| mix: genia | 0.5 |",
        "| genia test: f1 | 74.5 |",
        "| One | train | a \\| b |  |",
        "| Two |  |  | somewhere |",
        "| genia | 0.250 | +0.00 |",
        CARD.base_sha256,
        "| licence of the base | Apache-2.0 |",
        "A note.",
    ):
        assert words in page


def test_every_shipped_card_names_the_licence_of_its_base() -> None:
    """Catches a model that ships and is silent on the terms of its base, or that says others than the pull."""
    for name in bundled_models():
        card = read_card(model_folder(name))
        assert card.base_licence == PULLABLE[card.base].licence.in_words
        assert f"| licence of the base | {card.base_licence} |" in (model_folder(name) / "MODEL_CARD.md").read_text(
            "utf-8"
        )


def test_what_is_not_there_has_no_section() -> None:
    """Catches empty headings and tables for a model that was trained a minute ago."""
    page = card_page(dataclasses.replace(CARD, training={}, metrics={}, thresholds={}), weights_digest="d")
    assert page.startswith("# Model sample\n\n## What it is made of\n")
    assert page.count("## ") == 1


def test_a_threshold_is_told_whatever_it_is_of() -> None:
    """Catches a common threshold that no page names, and a line for each of two dozen free tags."""
    plain = dataclasses.replace(CARD, thresholds={}, common_threshold=0.22)
    assert "0.220 for types that are not named here" in card_page(plain, weights_digest="d")
    free = dict.fromkeys(free_tags(), 0.1)
    page = card_page(dataclasses.replace(plain, type_thresholds={"protein": 0.3, **free}), weights_digest="d")
    assert "| protein | 0.300 |" in page
    assert page.count("0.100") == 1
    assert "| types that it was not trained for | 0.100 |" in page


def test_the_digest_is_that_of_the_weights(tmp_path: Path) -> None:
    """Catches a digest that does not change with the weights, or that changes with the words of the card."""
    folder = write_sample(tmp_path / "model")
    line = next(one for one in model_page(folder).splitlines() if "sha256 of the weights" in one)
    write_card(dataclasses.replace(CARD, about=ABOUT), folder)
    assert line in model_page(folder)
    (folder / "rows.safetensors").write_bytes(b"other")
    assert line not in model_page(folder)


def test_no_model_has_no_page(tmp_path: Path) -> None:
    """Catches a page for an empty folder."""
    with pytest.raises(ModelError):
        model_page(tmp_path)
