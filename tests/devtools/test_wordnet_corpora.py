"""Types of WordNet as training data: what is read of its files, which types are chosen, and what is marked."""

import json
from pathlib import Path

import pytest

from bioner_core.errors import InputError
from bioner_core.evaluation.corpora import read_corpus
from bioner_core.labels.label_set import load_label_set
from bioner_core.training.settings import read_settings
from devtools.wordnet_corpora import main
from devtools.wordnet_nouns import read_nouns

RECIPE = Path(__file__).resolve().parents[2] / "bioner_core" / "training" / "recipes" / "pubtator_cpu_10.toml"
KINDS = ("tool", "fish", "plant", "cloth", "metal", "house", "drink", "stone")
LICENCE = "  1 This is where the licence stands in WordNet's files.  \n"


def _kinds(one: str) -> list[str]:
    return [f"{one}{letter * 2}" for letter in "abcdef"]


def _write_wordnet(folder: Path) -> None:
    """A WordNet of eight types with six kinds each, beside a process and the rest of what is left out."""
    data, index = [], {}

    def add(words: str, above: str | None) -> str:
        key = f"{len(data):08}"
        relation = f"002 @ {above} n 0000 ~ 00000000 n 0000" if above else "000"
        each = words.split("/")
        listed = " ".join(f"{one} 0" for one in each)
        data.append(f'{key} 03 n {len(each):02x} {listed} {relation} | a made {each[0]} (of old); "so to speak"  \n')
        for one in each:
            index.setdefault(one, []).append(key)
        return key

    top = add("thing", None)
    middle = add("made_thing", add("solid_thing", top))
    for one in KINDS:
        type_key = add(one, middle)
        for kind in _kinds(one):
            add(kind, type_key)
    process = add("change_in_nature", add("process/physical_process", middle))
    for kind in _kinds("process"):
        add(kind, process)
    add("cell_organelle/organelle", middle)
    add("chemical_reaction/reaction", middle)
    lines = [f"{word} n {len(keys)} 2 @ ~ {len(keys)} 1 {' '.join(keys)}  \n" for word, keys in sorted(index.items())]
    folder.mkdir()
    (folder / "data.noun").write_text(LICENCE + "".join(data), encoding="utf-8")
    (folder / "index.noun").write_text(LICENCE + "".join(lines), encoding="utf-8")
    (folder / "index.verb").write_text(f"{LICENCE}stone v 3 1 @ 3 2 00000001 00000002 00000003  \n", encoding="utf-8")
    for one in ("adj", "adv"):
        (folder / f"index.{one}").write_text(LICENCE, encoding="utf-8")


@pytest.fixture
def wordnet(tmp_path: Path) -> Path:
    """A folder as WordNet's."""
    _write_wordnet(tmp_path / "wordnet")
    return tmp_path / "wordnet"


def test_the_nouns_are_read(wordnet: Path) -> None:
    """Would catch a relation downwards that is taken for one upwards, and a verb that passes for a noun."""
    nouns = read_nouns(wordnet)
    above = {word for key in nouns.above(nouns.usual["toolbb"]) for word in nouns.meanings[key].words}
    assert above == {"toolbb", "tool", "made thing", "solid thing", "thing"}
    assert nouns.depth(nouns.usual["toolbb"]) == 4
    assert "stoneaa" in nouns.usual
    assert "stone" not in nouns.usual


def test_types_are_marked_by_their_kinds(wordnet: Path, tmp_path: Path) -> None:
    """Would catch a type of what is left out, marks of other kinds, and definitions with remarks of WordNet."""
    words = [kind for one in (*KINDS, "process") for kind in _kinds(one)]
    texts = [f"The {word}s were weighed. We saw {word} again." for word in words for _ in range(8)]
    lines = [json.dumps({"id": str(n), "lang": "en", "text": text, "entities": []}) for n, text in enumerate(texts)]
    (corpus := tmp_path / "texts.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert main([str(wordnet), str(tmp_path / "made"), f"{corpus}:{len(lines)}", "--sets", "2"]) == 0
    assert sorted(one.name for one in (tmp_path / "made").iterdir()) == ["01.jsonl", "01.toml"]
    label_set = load_label_set(str(tmp_path / "made" / "01.toml"))
    assert sorted(label_set.type_names) == sorted(KINDS)
    for one in label_set.types:
        assert one.definition_en == f"a made {one.name}"
        # A definition by examples names kinds of its own type alone.
        assert all(
            kind.startswith(one.name) for kind in one.other_definitions[1].removesuffix(" and the like").split(", ")
        )
    marked = {
        (span.type, record.text[span.start : span.end])
        for record in read_corpus(tmp_path / "made" / "01.jsonl")
        for span in record.spans
    }
    assert {name for name, _ in marked} == set(KINDS)
    assert all(text.startswith(name) for name, text in marked)
    assert ("tool", "toolaas") in marked


def test_a_folder_without_wordnet_is_told(tmp_path: Path) -> None:
    """Would catch a traceback where a sentence should stand."""
    with pytest.raises(InputError, match=r"data\.noun"):
        read_nouns(tmp_path)


@pytest.mark.parametrize(
    ("name", "line", "said"),
    [
        ("data.noun", "00000001 03 n zz thing 0 000 | a text\n", "line 2 is none of WordNet"),
        ("data.noun", "00000001 03 n 01 thing 0 002 @ 00000001 n 0000 | a text\n", "line 2 is none of WordNet"),
        ("index.noun", "thing n 1\n", "line 2 is none of WordNet"),
        ("index.verb", "stone v 1 0 1 0\n", "line 2 is none of WordNet"),
        ("index.noun", "thing n 1 0 1 0 99999999\n", "has no meaning 99999999"),
    ],
)
def test_a_damaged_file_is_told(wordnet: Path, name: str, line: str, said: str) -> None:
    """Would catch a traceback, or half of a file that passes for WordNet, so that other types are made of it."""
    (wordnet / name).write_text(LICENCE + line, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_nouns(wordnet)


def test_fewer_sets_than_asked_for_are_told(wordnet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Would catch a recipe that names 25 sets where the texts gave six, without a word."""
    line = json.dumps({"id": "1", "lang": "en", "text": "Nothing.", "entities": []})
    (corpus := tmp_path / "texts.jsonl").write_text(line + "\n", encoding="utf-8")
    assert main([str(wordnet), str(tmp_path / "made"), f"{corpus}:1", "--sets", "2"]) == 0
    assert "label sets of 8 types: 0; 2 were asked for" in capsys.readouterr().out


def test_the_recipe_names_every_set_once() -> None:
    """Would catch a set that is trained on twice, and weights that are no shares."""
    corpora = read_settings(RECIPE)[0].corpora
    made = [one.file for one in corpora if one.file.startswith("runs/wordnet")]
    assert made == [f"runs/wordnet/{number:02}.jsonl" for number in range(1, 26)]
    assert all(one.label_set == one.file.replace(".jsonl", ".toml") for one in corpora if one.file in made)
    assert sum(one.weight or 0 for one in corpora) == pytest.approx(1)
