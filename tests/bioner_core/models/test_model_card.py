"""`model.toml`: what is written is what is read."""

from dataclasses import replace
from pathlib import Path

import pytest

from bioner_core.errors import ModelError
from bioner_core.models.model_card import CARD_FILE, int8_is_good, read_card, write_card
from tests.bioner_core.models.model_samples import CARD


def test_a_card_comes_back_as_it_was(tmp_path: Path) -> None:
    """Would catch a field that is not written, or characters that TOML changes (quotes, wide blanks, marks)."""
    write_card(CARD, tmp_path)
    assert read_card(tmp_path) == CARD


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({}, False),
        ({"one": {"f1_lost": 0.3, "mentions_changed": 0.02}}, True),
        ({"one": {"f1_lost": -2.0, "mentions_changed": 0.0}, "two": {"f1_lost": 0.31, "mentions_changed": 0.0}}, False),
        ({"one": {"f1_lost": -2.0, "mentions_changed": 0.021}}, False),
        ({"one": {"f1_lost": 0.0}}, False),
    ],
)
def test_int8_is_good_where_every_corpus_of_the_card_says_so(
    table: dict[str, dict[str, float]], expected: bool
) -> None:
    """Would catch a card without a table, with half of one, or with one bad corpus, that lets `auto` choose int8."""
    assert int8_is_good(table) is expected


@pytest.mark.parametrize(
    "field",
    ["name", "base", "base_sha256", "scheme", "prompt_version", "tags", "characters", "label_sets"],
)
def test_a_missing_field_is_named(tmp_path: Path, field: str) -> None:
    """Would catch a bare KeyError, or a default for something that must be known."""
    write_card(CARD, tmp_path)
    lines = (tmp_path / CARD_FILE).read_text(encoding="utf-8").replace("[\n", "[").replace(",\n", ",").splitlines()
    kept = [line for line in lines if not line.startswith(f"{field} =")]
    assert len(kept) == len(lines) - 1
    (tmp_path / CARD_FILE).write_text("\n".join(kept), encoding="utf-8")
    with pytest.raises(ModelError, match=field):
        read_card(tmp_path)


def test_thresholds_training_and_metrics_may_be_missing(tmp_path: Path) -> None:
    """Would catch a model without a selector that cannot be loaded."""
    write_card(CARD, tmp_path)
    text = (tmp_path / CARD_FILE).read_text(encoding="utf-8")
    (tmp_path / CARD_FILE).write_text(text[: text.index("[thresholds]")], encoding="utf-8")
    card = read_card(tmp_path)
    assert (card.thresholds, card.training, card.metrics) == ({}, {}, {})


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"name = ", "bad field"), (b'name = "\xff"', "bad field"), (b"", "name")],
)
def test_a_card_that_is_no_card_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    """Would catch a traceback for a damaged file."""
    (tmp_path / CARD_FILE).write_bytes(content)
    with pytest.raises(ModelError, match=said):
        read_card(tmp_path)


@pytest.mark.parametrize(
    ("old", "new"), [('"lines"', '"columns"'), ('tags = [\n    "DNA",\n    "protein",\n]', "tags = 5")]
)
def test_a_field_of_the_wrong_kind_is_refused(tmp_path: Path, old: str, new: str) -> None:
    """Would catch an unknown scheme, or a traceback for a number where a list should be."""
    write_card(CARD, tmp_path)
    text = (tmp_path / CARD_FILE).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / CARD_FILE).write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ModelError, match=CARD_FILE):
        read_card(tmp_path)


def test_a_negative_rank_is_refused(tmp_path: Path) -> None:
    """Would catch a traceback of torch, which makes no matrix of -1 columns."""
    write_card(replace(CARD, definition_rank=-1), tmp_path)
    with pytest.raises(ModelError, match=f"{CARD_FILE}: .*definition_rank"):
        read_card(tmp_path)


def test_a_folder_without_a_card_is_no_model(tmp_path: Path) -> None:
    """Would catch a FileNotFoundError, or a NotADirectoryError where a file is named, instead of a message."""
    file = tmp_path / "file"
    file.touch()
    for path in (tmp_path, tmp_path / "absent", file):
        with pytest.raises(ModelError, match="is no model directory"):
            read_card(path)


def test_a_card_from_before_licences_is_read(tmp_path: Path) -> None:
    """Would catch a model of an earlier version that is refused for a field that it cannot have."""
    write_card(CARD, tmp_path)
    lines = (tmp_path / CARD_FILE).read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith("base_licence =")]
    assert len(kept) == len(lines) - 1
    (tmp_path / CARD_FILE).write_text("\n".join(kept), encoding="utf-8")
    assert read_card(tmp_path).base_licence == ""
