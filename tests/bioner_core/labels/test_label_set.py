"""Label sets: what ships loads, what is wrong is named."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bioner_core.errors import ConfigurationError
from bioner_core.labels.label_set import LabelSet, bundled_label_sets, default_label_sets, load_label_set

TYPE = '[[types]]\nname = "gene"\n'
Load = Callable[[str], LabelSet]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load a label set from the text of its file."""

    def load_text(text: str) -> LabelSet:
        path = tmp_path / "own.toml"
        path.write_text(text, encoding="utf-8")
        return load_label_set(str(path))

    return load_text


@pytest.mark.parametrize("name", bundled_label_sets())
def test_bundled_label_sets_are_whole(name: str) -> None:
    """Would catch a bundled type without its two names and definitions, or a file under another name."""
    label_set = load_label_set(name)
    assert label_set.name == name
    assert label_set.description
    assert set(label_set.languages) <= {"en", "zh"}
    for one in label_set.types:
        assert all((one.name, one.tag, one.en, one.zh, one.definition_en, one.definition_zh))


def test_one_language_serves_for_both(load: Load) -> None:
    """Would catch a type of one's own in Chinese alone that the model is told nothing of."""
    chinese = 'name = "own"\n[[types]]\nname = "a"\nzh = "手术"\ndefinition_zh = "外科手术"'
    one = load(chinese).types[0]
    assert (one.en, one.zh, one.definition_en, one.definition_zh) == ("手术", "手术", "外科手术", "外科手术")
    two = load('name = "own"\n[[types]]\nname = "a"\nen = "surgery"').types[0]
    assert (two.en, two.zh, two.definition_en) == ("surgery", "surgery", "")


def test_a_file_is_read_as_it_is_now(load: Load) -> None:
    """Would catch a notebook in which an edited definition changes nothing until it is started again."""
    first, second = (load(f'name = "x"\n{TYPE}definition_en = "{words}"') for words in ("old", "new"))
    assert (first.types[0].definition_en, second.types[0].definition_en) == ("old", "new")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"types": ()}, "at least one type"),
        ({"types": load_label_set("genia").types[:1] * 2}, "its own name and tag"),
        ({"languages": ("english",)}, r"'genia': languages has 'english'; choose from en, zh"),
        ({"languages": "en"}, r"give a tuple: \('en',\)"),
    ],
)
def test_a_label_set_made_in_python_is_checked_too(changes: dict[str, Any], said: str) -> None:
    """Would catch a ZeroDivisionError far from here, a type that is asked for twice, and a language of no text."""
    with pytest.raises(ConfigurationError, match=said):
        replace(load_label_set("genia"), **changes)


def test_the_four_label_sets_of_the_default_model_are_bundled() -> None:
    """Would catch a label set that is left out of the package."""
    assert {"genia", "bc5cdr", "cmeee", "cmedqaner"} <= set(bundled_label_sets())


def test_default_label_sets_cover_both_languages() -> None:
    """Would catch a default under which the texts of one language get no annotation."""
    assert {language for one in default_label_sets() for language in one.languages} >= {"en", "zh"}
    assert all(one.default for one in default_label_sets())


def test_an_unknown_name_lists_the_choices() -> None:
    """Would catch a message that leaves the user to guess."""
    with pytest.raises(ConfigurationError, match=r"'nosuch' not found: choose from \[.*'genia'.*\.toml"):
        load_label_set("nosuch")


def test_a_custom_file_needs_only_names(load: Load) -> None:
    """Would catch a default that is not the type's own name."""
    label_set = load('name = "mine"\n' + TYPE)
    assert (label_set.name, label_set.languages, label_set.default) == ("mine", ("en", "zh"), False)
    (gene,) = label_set.types
    assert (gene.name, gene.tag, gene.en, gene.zh, gene.definition_en) == ("gene", "gene", "gene", "gene", "")


def test_a_custom_file_says_all(load: Load) -> None:
    """Would catch a field that is read from another field's place."""
    label_set = load(
        'name = "mine"\nlanguages = ["zh"]\ndefault = true\ndescription = "d"\n'
        + TYPE
        + 'tag = "DNA"\nen = "e"\nzh = "z"\ndefinition_en = "de"\ndefinition_zh = "dz"\n'
    )
    assert (label_set.languages, label_set.default, label_set.description) == (("zh",), True, "d")
    (gene,) = label_set.types
    assert (gene.tag, gene.en, gene.zh, gene.definition_en, gene.definition_zh) == ("DNA", "e", "z", "de", "dz")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("name = ", "not valid TOML", id="not TOML"),
        pytest.param(TYPE, "field 'name'", id="no name"),
        pytest.param('name = ""\n' + TYPE, "'name' is empty", id="empty name"),
        pytest.param('name = "x"\n', "at least one", id="no types"),
        pytest.param('name = "x"\n' + TYPE + TYPE, "its own name and tag", id="doubled type"),
        pytest.param(
            'name = "x"\n' + TYPE + '[[types]]\nname = "b"\ntag = "gene"', "own name and tag", id="one tag twice"
        ),
        pytest.param('name = "x"\n[types]\nname = "gene"', "field 'types' must be of type list", id="table for a list"),
        pytest.param('name = "x"\ntypes = ["gene"]', "must be a \\[\\[types\\]\\] table", id="names for tables"),
        pytest.param('name = "x"\nlanguages = "en"\n' + TYPE, "'languages' must be of type list", id="text for a list"),
        pytest.param('name = "x"\nlanguages = ["english"]\n' + TYPE, "languages has 'english'", id="a language's name"),
        pytest.param('name = "x"\nlanguages = [1]\n' + TYPE, "languages has 1", id="number for a language"),
        pytest.param('name = "x"\ndefault = "no"\n' + TYPE, "'default' must be of type bool", id="text for a bool"),
        pytest.param('name = "x"\n' + TYPE + "en = 5", "'en' must be of type str", id="number for a text"),
        pytest.param('name = "x"\n[[types]]\nen = "gene"', "field 'name' must be of type str", id="type without name"),
    ],
)
def test_a_file_that_is_no_label_set_names_the_field(load: Load, text: str, said: str) -> None:
    """Would catch a traceback, or a wrong value that is taken for something else (`"en"` as the languages e and n)."""
    with pytest.raises(ConfigurationError, match=said) as caught:
        load(text)
    assert "own.toml" in str(caught.value)


@pytest.mark.parametrize("name", ["a:b", "a[b", "a]b", "a\\\\b", "a\\nb"])
def test_type_names_that_would_break_the_rendering_are_refused(load: Load, name: str) -> None:
    """Would catch a name that makes `[name:text]` read as something else."""
    with pytest.raises(ConfigurationError, match="type name"):
        load(f'name = "x"\n[[types]]\nname = "{name}"\n')


def test_type_names_in_chinese_and_with_blanks_are_fine(load: Load) -> None:
    """Would catch a door that is too narrow."""
    assert load('name = "x"\n[[types]]\nname = "细胞 类型"\n').type_names == ("细胞 类型",)


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    """Would catch a UnicodeDecodeError instead of a message with the file's name."""
    path = tmp_path / "gbk.toml"
    path.write_bytes('name = "基因"'.encode("gbk"))
    with pytest.raises(ConfigurationError, match=r"gbk\.toml' cannot be read"):
        load_label_set(str(path))


def test_restricted_to_keeps_the_order_of_the_label_set() -> None:
    """Would catch types in the order of the request: the order breaks ties."""
    genia = load_label_set("genia")
    assert genia.restricted_to(("RNA", "protein")).type_names == ("protein", "RNA")
    assert genia.restricted_to(("RNA",)).name == "genia"


def test_restricted_to_names_what_it_does_not_know() -> None:
    """Would catch a misspelt type that silently finds nothing."""
    with pytest.raises(ConfigurationError, match=r"\['planet'\] not in label set 'genia'; choose from \['protein'"):
        load_label_set("genia").restricted_to(("protein", "planet"))
    with pytest.raises(ConfigurationError, match="none named; choose from"):
        load_label_set("genia").restricted_to(())
