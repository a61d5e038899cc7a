"""Vocabularies by name: built, kept, replaced on purpose only; and those that a wheel carries."""

import json
from pathlib import Path

import pytest

from bioner_core.concepts.pullable import pull_vocabulary
from bioner_core.concepts.vocabularies import build_vocabulary, known_vocabularies, open_vocabularies
from bioner_core.concepts.wheel_tables import LENDERS, mesh_concepts, ontology_concepts
from bioner_core.errors import ConfigurationError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("BIONER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def table(path: Path, *rows: str) -> Path:
    """A table of two columns."""
    path.write_text("id,name\n" + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def test_a_name_never_changes_its_content_in_silence(tmp_path: Path) -> None:
    """Catches links that name a vocabulary which is another one by now."""
    first = build_vocabulary([table(tmp_path / "a.csv", "T:1,one")], "mine", version="1")
    assert build_vocabulary([tmp_path / "a.csv"], "mine", version="1") == first
    table(tmp_path / "a.csv", "T:1,other")
    with pytest.raises(ConfigurationError, match=r"there already.*--replace"):
        build_vocabulary([tmp_path / "a.csv"], "mine", version="1")
    second = build_vocabulary([tmp_path / "a.csv"], "mine", version="1", replace=True)
    assert first.exact_version != second.exact_version
    assert list(known_vocabularies()) == [second]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"prefix": "U"}, r"its prefix was 'T', not 'U'"),
        ({"licence": "CC0"}, r"its licence was 'not stated', not 'CC0'"),
        ({"form": "gold"}, r"its format was 'table', not 'gold'"),
        ({"version": "2"}, r"its version was 'unversioned', not '2'"),
    ],
)
def test_other_options_make_another_vocabulary(tmp_path: Path, changed: dict[str, str], said: str) -> None:
    """Catches a prefix or licence that is given a second time and does nothing, without a word."""
    files = [table(tmp_path / "a.csv", "1,one")]
    first = build_vocabulary(files, "mine", prefix="T")
    assert build_vocabulary(files, "mine", prefix="T", form="table") == first
    with pytest.raises(ConfigurationError, match=rf"there already.*{said}.*--replace"):
        build_vocabulary(files, "mine", **{"prefix": "T"} | changed)
    if "form" not in changed:
        assert build_vocabulary(files, "mine", **{"prefix": "T"} | changed, replace=True) != first


def test_a_page_that_does_not_say_how_it_was_read_is_readable(tmp_path: Path, cache: Path) -> None:
    """Catches vocabularies of an earlier version that cannot be opened, or are refused for what they never said."""
    files = [table(tmp_path / "a.csv", "T:1,one")]
    first = build_vocabulary(files, "mine")
    page = cache / "vocabularies" / "mine" / "vocabulary.json"
    said = json.loads(page.read_text())
    del said["form"], said["prefix"]
    page.write_text(json.dumps(said))
    assert build_vocabulary(files, "mine", prefix="T").digest == first.digest
    assert open_vocabularies(["mine"])[0].matches("one")


@pytest.mark.parametrize("fault", ["damaged", "other keys"])
def test_a_bad_page_can_be_made_again_and_hides_no_other(tmp_path: Path, cache: Path, fault: str) -> None:
    """Catches `build the vocabulary again` that cannot be done, and one bad page that hides all others."""
    files = [table(tmp_path / "a.csv", "T:1,one")]
    for name in ("mine", "ours"):
        build_vocabulary(files, name)
    page = cache / "vocabularies" / "mine" / "vocabulary.json"
    changed = json.dumps(json.loads(page.read_text()) | {"keys_version": "1"})
    page.write_text("{" if fault == "damaged" else changed)
    with pytest.raises(ConfigurationError, match=r"mine.*--replace"):
        build_vocabulary(files, "mine")
    faults: list[ConfigurationError] = []
    assert [one.name for one in known_vocabularies(on_fault=faults.append)] == ["ours"]
    assert [str(page.parent) in str(one) for one in faults] == [True]
    with pytest.raises(ConfigurationError, match="known: ours"):
        open_vocabularies(["yours"])
    assert build_vocabulary(files, "mine", replace=True).concepts == 1
    assert len(list(known_vocabularies())) == 2


def test_a_vocabulary_is_pulled_again_only_on_purpose(cache: Path) -> None:
    """Catches a pull that replaces what is there, and one that says to replace it and has no way to."""
    (cache / "vocabularies" / "doid").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="there already; `bioner vocabulary pull doid --replace`"):
        pull_vocabulary("doid")


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden"])
def test_a_name_stays_in_the_cache(tmp_path: Path, name: str) -> None:
    """Catches a name that writes elsewhere."""
    with pytest.raises(ConfigurationError, match="--name"):
        build_vocabulary([table(tmp_path / "a.csv", "T:1,one")], name)


def test_missing_and_doubled_vocabularies_are_said(tmp_path: Path) -> None:
    """Catches a traceback for a mistyped name, and links of two vocabularies that cannot be told apart."""
    build_vocabulary([table(tmp_path / "a.csv", "T:1,one")], "mine")
    with pytest.raises(ConfigurationError, match=r"known: mine.*vocabulary pull"):
        open_vocabularies(["yours"])
    with pytest.raises(ConfigurationError, match="two of one name"):
        open_vocabularies(["mine", "mine"])
    with pytest.raises(ConfigurationError, match="cannot be pulled; known: mesh"):
        pull_vocabulary("yours")


def test_mesh_tables_are_read_with_types_and_borrowed_names(tmp_path: Path) -> None:
    """Catches a substance that counts as a disease, a bacterium that counts as one, and behaviour that is anything.

    Also an acronym that is lent.
    """
    mesh = ["D1\tSample Fever\tFever, Sample\tC01.1", "D2\tSamplic Acid\t\tD02.1|D03", "D3\tSampling\t\tF01.1"]
    mesh.append("D4\tSamplus\t\tB01.1")
    (tmp_path / "mesh_id_label_mappings.tsv").write_text("\n".join(mesh) + "\n")
    (tmp_path / "mesh_supp_id_label_mappings.tsv").write_text(
        "C1\tsamplosis\t\tD1\nC2\tsamplol\tsamplool\tD2\n"
        "C3\tSamplus minor\t\tD4\nC4\tsampline\t\tD3\nC5\tsampline B\t\tD2,D4\n"
    )
    (tmp_path / "mesh_mappings.tsv").write_text("MESH\tD1\tSample Fever\tDOID\tDOID:7\tfever\n")
    term = {"id": "DOID:7", "name": "fever of samples", "synonyms": ["SF", "sampler's heat"], "namespace": "doid"}
    for name in LENDERS:
        (tmp_path / name).write_text(json.dumps([term] if name == "doid.json" else []))
    found = {one.concept_id: one for one in mesh_concepts(tmp_path)}
    types = {
        "MESH:D1": "Disease",
        "MESH:D2": "Chemical",
        "MESH:D3": "Other",
        "MESH:C1": "Disease",
        "MESH:C2": "Chemical",
        "MESH:D4": "Organism",
        "MESH:C3": "Organism",
        "MESH:C4": "Chemical",
        "MESH:C5": "Chemical",
    }
    assert {key: one.type for key, one in found.items()} == types
    assert [one.name for one in found["MESH:D1"].synonyms] == ["Fever, Sample", "fever of samples", "sampler's heat"]
    assert [one.name for one in found["MESH:D2"].synonyms] == ["Samplate"]
    [own] = ontology_concepts(tmp_path / "doid.json")
    assert (own.concept_id, own.type) == ("DOID:7", "Disease")
