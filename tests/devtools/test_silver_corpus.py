"""Texts that word lists have marked: what a list marks, what nests, and what the command says."""

import json
from pathlib import Path

import pytest

from bioner_core.gold.lines import read_lines
from bioner_core.labels.label_set import load_label_set
from bioner_core.training.settings import read_settings
from devtools.silver_corpus import main, marks, read_word_patterns

RECIPES = Path(__file__).resolve().parents[2] / "bioner_core" / "training" / "recipes"
LISTS = sorted((RECIPES.parent / "word_lists").glob("*.toml"))
LIST = """
name = "trial"
languages = ["en"]
[[types]]
name = "organ"
words = "heart, heart muscle, kidney"
[[types]]
name = "quantity"
patterns = ['\\b\\d+ ?mg\\b', '\\b\\d+']
[[types]]
name = "cell"
words = "muscle cell, heart, 细胞"
"""


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """A small word list."""
    (file := tmp_path / "trial.toml").write_text(LIST, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hearts, not heartburn", [("organ", "Hearts")]),
        ("heart muscle", [("organ", "heart muscle"), ("cell", "heart")]),
        ("a heart muscle cell", [("organ", "heart muscle"), ("cell", "heart")]),
        ("one heart", [("organ", "heart")]),
        ("10 mg or 10", [("quantity", "10 mg"), ("quantity", "10")]),
        ("肝细胞癌", [("cell", "细胞")]),
        ("nothing", []),
    ],
)
def test_what_a_list_marks(words: Path, text: str, found: list[tuple[str, str]]) -> None:
    """Would catch parts of words, a short word that hides a long one, marks that cross, and one text with two types."""
    got = marks(text, read_word_patterns(words))
    assert [(one.type, text[one.start : one.end]) for one in got] == found


def test_the_first_records_are_written_with_the_lists_marks(words: Path, tmp_path: Path) -> None:
    """Would catch marks of the source that are kept, and offsets of another text."""
    lines = [
        {"id": str(n), "lang": "en", "text": f"{n} hearts", "entities": [{"start": 0, "end": 1, "type": "X"}]}
        for n in range(3)
    ]
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    assert main([str(words), str(tmp_path / "new" / "silver.jsonl"), f"{corpus}:2"]) == 0
    first, second = read_lines(tmp_path / "new" / "silver.jsonl")
    assert (first.record_id, second.record_id) == ("0", "1")
    assert {(one.type, first.text[one.start : one.end]) for one in first.spans} == {
        ("quantity", "0"),
        ("organ", "hearts"),
    }


@pytest.mark.parametrize(
    ("content", "part", "told"),
    [
        (LIST, "corpus.jsonl", "FILE:COUNT"),
        (LIST, "nowhere.jsonl:3", "nowhere.jsonl"),
        (LIST.replace('words = "heart, heart muscle, kidney"', ""), "corpus.jsonl:3", "'organ'"),
        (LIST.replace("?mg", "(mg"), "corpus.jsonl:3", "'quantity'"),
        ("name = 3", "corpus.jsonl:3", "name"),
    ],
)
def test_what_is_wrong_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, part: str, told: str
) -> None:
    """Would catch a traceback, and a type that silently marks nothing."""
    (tmp_path / "trial.toml").write_text(content, encoding="utf-8")
    (tmp_path / "corpus.jsonl").write_text("", encoding="utf-8")
    assert main([str(tmp_path / "trial.toml"), str(tmp_path / "out.jsonl"), f"{tmp_path}/{part}"]) == 1
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error


@pytest.mark.parametrize("file", LISTS, ids=lambda one: one.stem)
def test_lists_that_ship_mark_their_words(file: Path) -> None:
    """Would catch a pattern that does not compile, and a tag that a bundled label set has for something else."""
    label_set = load_label_set(str(file))
    assert list(read_word_patterns(file)) == list(label_set.type_names)
    assert all(one.tag.startswith("silver_") for one in label_set.types)
    assert all(one.definition_en and one.definition_zh and one.other_definitions for one in label_set.types)


def test_the_recipe_reads_every_list() -> None:
    """Would catch a list that no recipe trains on."""
    settings, _ = read_settings(RECIPES / "pubtator_cpu_8.toml")
    used = {Path(one.label_set).name for one in settings.corpora if one.file.startswith("runs/silver/")}
    assert used == {one.name for one in LISTS}
