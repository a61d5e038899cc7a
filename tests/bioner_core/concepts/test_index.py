"""A vocabulary on disk: what goes in comes out, and damage is said."""

import json
from pathlib import Path

import pytest

from bioner_core.concepts.concept import PREFERRED, SYNONYM, Concept, Synonym
from bioner_core.concepts.index import (
    ABOUT_FILE,
    CONCEPTS_FILE,
    KEYS_FILE,
    SourceFile,
    VocabularyPage,
    build_index,
    read_page,
    read_tables,
)
from bioner_core.concepts.name_keys import BROAD, EXACT, name_keys
from bioner_core.concepts.vocabulary import open_vocabulary
from bioner_core.errors import ConfigurationError, InputError
from tests.bioner_core.concept_samples import CONCEPTS, made_vocabulary


def test_names_are_found_with_how_surely(tmp_path: Path) -> None:
    """Catches a lost name, a wrong weight, and a kind of key that is not said."""
    vocabulary = made_vocabulary(tmp_path)
    [own] = vocabulary.matches("hypertension")
    assert (own.concept_id, own.kind, own.weight, own.type) == ("TEST:D2", EXACT, PREFERRED, "Disease")
    [other] = vocabulary.matches("AKF")
    assert (other.name, other.weight) == ("Kidney Failure, Acute", pytest.approx(SYNONYM))
    [loose] = vocabulary.matches("hypertensive")
    assert (loose.concept_id, loose.kind) == ("TEST:D2", BROAD)
    assert vocabulary.matches("nothing of the kind") == ()


def test_ambiguity_is_kept_and_types_choose(tmp_path: Path) -> None:
    """Catches a name of two concepts of which one is dropped, and a type that does not choose."""
    vocabulary = made_vocabulary(tmp_path)
    assert [one.concept_id for one in vocabulary.matches("cold")] == ["TEST:C2", "TEST:D4"]
    [chosen] = vocabulary.matches("cold", fits=lambda kind: kind == "Disease")
    assert chosen.concept_id == "TEST:D4"


def test_concepts_of_one_id_are_joined_whatever_their_order(tmp_path: Path) -> None:
    """Catches rows of one concept (RRF has one per name) that overwrite each other."""
    rows = [Concept("T:1", "first"), Concept("T:1", "second", synonyms=(Synonym("third", 0.7),)), Concept("T:2", "x")]
    vocabulary = made_vocabulary(tmp_path, *rows)
    assert [vocabulary.matches(name)[0].concept_id for name in ("first", "second", "third")] == ["T:1"] * 3
    assert vocabulary.page.concepts == 2


def test_a_joined_concept_keeps_all_that_its_rows_say(tmp_path: Path) -> None:
    """Catches a preferred name that is a synonym too, and rows whose parents, old ids or surer names are lost."""
    rows = [
        Concept("T:1", "first", synonyms=(Synonym("third", 0.7),), replaces=("T:9",), parents=("T:2",)),
        Concept("T:1", "second", synonyms=(Synonym("third", 0.9), Synonym("first", 0.8)), replaces=("T:8", "T:9")),
        Concept("T:1", "third", parents=("T:2", "T:3")),
        Concept("T:2", "plain", replaces=("T:7",), parents=("T:4",)),
    ]
    vocabulary = made_vocabulary(tmp_path, *rows)
    concepts, keys = read_tables(tmp_path / "sample", vocabulary.page)
    [one, other] = concepts.to_pylist()
    assert (one["replaces"], one["parents"]) == (["T:9", "T:8"], ["T:2", "T:3"])
    assert (other["replaces"], other["parents"]) == (["T:7"], ["T:4"])
    assert {one["key"]: one["weight"] for one in keys.to_pylist() if one["kind"] == EXACT} == {
        "first": PREFERRED,
        "second": pytest.approx(SYNONYM),
        "third": pytest.approx(max(SYNONYM, 0.9)),
        "plain": PREFERRED,
    }
    # first, second, third and plain
    assert (vocabulary.page.concepts, vocabulary.page.names) == (2, 4)


def test_of_two_ways_to_a_key_the_surer_one_is_kept(tmp_path: Path) -> None:
    """Catches a name that is exact for one synonym and loose for another, and is stored as loose or as less sure."""
    names = (Synonym("hypertensive", 0.5), Synonym("Hypertension", 0.6), Synonym("hypertensions", 0.9))
    page = made_vocabulary(tmp_path, Concept("T:1", "blood pressure", synonyms=names)).page
    _, keys = read_tables(tmp_path / "sample", page)
    found = {one["key"]: (one["kind"], one["weight"]) for one in keys.to_pylist()}
    expected: dict[str, tuple[int, float]] = {}
    for name, weight in (("blood pressure", PREFERRED), *((one.name, one.weight) for one in names)):
        for kind, key in enumerate(name_keys(name)):
            kept = expected.get(key, (kind, weight))
            expected[key] = min(kept, (kind, weight), key=lambda one: (one[0], -one[1]))
    assert found == {key: (kind, pytest.approx(weight)) for key, (kind, weight) in expected.items()}


def test_a_flipped_bit_anywhere_is_said(tmp_path: Path) -> None:
    """Catches ids that are read as nothing: Parquet's checksums do not cover the headers of its pages."""
    page = made_vocabulary(tmp_path, name="v").page
    assert {one.name for one in page.files} == {CONCEPTS_FILE, KEYS_FILE}
    for one in page.files:
        path = tmp_path / "v" / one.name
        whole = path.read_bytes()
        for place in range(0, len(whole), 7):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(ConfigurationError, match=f"{one.name} has other bytes"):
                open_vocabulary(tmp_path / "v")
        path.write_bytes(whole)
    assert open_vocabulary(tmp_path / "v").page == page


def test_a_vocabulary_of_an_earlier_version_names_no_files_and_is_read(tmp_path: Path) -> None:
    """Catches vocabularies that must all be built again after an upgrade."""
    made_vocabulary(tmp_path, name="v")
    path = tmp_path / "v" / ABOUT_FILE
    flat = json.loads(path.read_text(encoding="utf-8"))
    flat.pop("files")
    path.write_text(json.dumps(flat), encoding="utf-8")
    assert open_vocabulary(tmp_path / "v").matches("hypertension")


def test_what_a_page_says_is_read_in_any_language(tmp_path: Path) -> None:
    """Catches a page that is read in the machine's own encoding, and leftovers beside a vocabulary."""
    page = build_index(
        tmp_path / "词表", CONCEPTS, page=VocabularyPage("词表", "1", "我们的", (SourceFile("表.csv", "0"),))
    )
    assert read_page(tmp_path / "词表") == page
    assert [one.name for one in tmp_path.iterdir()] == ["词表"]
    nothing = VocabularyPage("v", "1", "ours", (SourceFile("表.csv", "0"), SourceFile("b.csv", "0")))
    with pytest.raises(InputError, match=r"表\.csv, b\.csv: holds no concept"):
        build_index(tmp_path / "none", [], page=nothing)


def test_digest_follows_content_alone(tmp_path: Path) -> None:
    """Catches links that name one version for two contents, or two for one."""
    page = VocabularyPage("one", "1", "ours")
    first = build_index(tmp_path / "a", CONCEPTS, page=page)
    same = build_index(tmp_path / "b", reversed(CONCEPTS), page=page)
    other = build_index(tmp_path / "c", CONCEPTS[1:], page=page)
    assert first.digest == same.digest != other.digest
    assert read_page(tmp_path / "a") == first


def test_replaced_ids_are_known(tmp_path: Path) -> None:
    """Catches a gold corpus whose old ids count as wrong."""
    vocabulary = made_vocabulary(tmp_path)
    assert "TEST:OLD2" in vocabulary.ids
    assert vocabulary.replaced == {"TEST:OLD2": "TEST:D2"}


def test_an_index_is_whole_or_not_there(tmp_path: Path) -> None:
    """Catches a half-made folder after a broken source, and one that is written over."""

    def broken() -> object:
        yield CONCEPTS[0]
        raise InputError("line 2")

    with pytest.raises(InputError):
        build_index(tmp_path / "v", broken(), page=VocabularyPage("v", "1", "ours"))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="no concept"):
        build_index(tmp_path / "v", [], page=VocabularyPage("v", "1", "ours"))
    made_vocabulary(tmp_path, name="v")
    with pytest.raises(ConfigurationError, match="there already"):
        build_index(tmp_path / "v", CONCEPTS, page=VocabularyPage("v", "1", "ours"))


def test_damage_is_said(tmp_path: Path) -> None:
    """Catches a flipped byte that changes links in silence."""
    made_vocabulary(tmp_path, name="v")
    path = tmp_path / "v" / KEYS_FILE
    content = bytearray(path.read_bytes())
    content[60] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="damaged"):
        open_vocabulary(tmp_path / "v")
    with pytest.raises(ConfigurationError, match="is no vocabulary"):
        read_page(tmp_path / "none")
