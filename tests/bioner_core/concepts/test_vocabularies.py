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
    """Catches a substance that counts as a disease, behaviour that counts as anything, and an acronym that is lent."""
    mesh = ["D1\tSample Fever\tFever, Sample\tC01.1", "D2\tSamplic Acid\t\tD02.1|D03", "D3\tSampling\t\tF01.1"]
    (tmp_path / "mesh_id_label_mappings.tsv").write_text("\n".join(mesh) + "\n")
    (tmp_path / "mesh_supp_id_label_mappings.tsv").write_text("C1\tsamplosis\t\tD1\nC2\tsamplol\tsamplool\tD2\n")
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
    }
    assert {key: one.type for key, one in found.items()} == types
    assert [one.name for one in found["MESH:D1"].synonyms] == ["Fever, Sample", "fever of samples", "sampler's heat"]
    assert [one.name for one in found["MESH:D2"].synonyms] == ["Samplate"]
    [own] = ontology_concepts(tmp_path / "doid.json")
    assert (own.concept_id, own.type) == ("DOID:7", "Disease")
