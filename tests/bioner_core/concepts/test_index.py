"""A vocabulary on disk: what goes in comes out, and damage is said."""

from pathlib import Path

import pytest

from bioner_core.concepts.concept import PREFERRED, SYNONYM, Concept, Synonym
from bioner_core.concepts.index import KEYS_FILE, VocabularyPage, build_index, read_page
from bioner_core.concepts.name_keys import BROAD, EXACT
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
    """Catches rows of one concept (RRF has one a name) that overwrite each other."""
    rows = [Concept("T:1", "first"), Concept("T:1", "second", synonyms=(Synonym("third", 0.7),)), Concept("T:2", "x")]
    vocabulary = made_vocabulary(tmp_path, *rows)
    assert [vocabulary.matches(name)[0].concept_id for name in ("first", "second", "third")] == ["T:1"] * 3
    assert vocabulary.page.concepts == 2


def test_digest_follows_content_alone(tmp_path: Path) -> None:
    """Catches links that name one version for two contents, or two for one."""
    page = VocabularyPage("one", "1", "ours")
    first = build_index(tmp_path / "a", CONCEPTS, page)
    same = build_index(tmp_path / "b", reversed(CONCEPTS), page)
    other = build_index(tmp_path / "c", CONCEPTS[1:], page)
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
        build_index(tmp_path / "v", broken(), VocabularyPage("v", "1", "ours"))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="no concept"):
        build_index(tmp_path / "v", [], VocabularyPage("v", "1", "ours"))
    made_vocabulary(tmp_path, name="v")
    with pytest.raises(ConfigurationError, match="there already"):
        build_index(tmp_path / "v", CONCEPTS, VocabularyPage("v", "1", "ours"))


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
