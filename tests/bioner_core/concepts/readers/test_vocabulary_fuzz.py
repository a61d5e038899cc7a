"""Vocabulary files that are damaged anyhow: sound concepts, or one clear error that names the file."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioner_core.concepts.concept import MOST_SYNONYMS, Concept, is_curie
from bioner_core.concepts.index import VocabularyPage, build_index
from bioner_core.concepts.readers.registry import FORMS, form_of, read_concepts
from bioner_core.errors import InputError
from tests.bioner_core.concepts.readers.test_vocabulary_files import (
    GENES,
    GOLD,
    GRAPH,
    HGNC,
    MESH,
    OBO,
    RRF,
    SKOS,
    TABLE,
)

SAMPLES = {
    "table": TABLE,
    "obo": OBO,
    "obograph": GRAPH,
    "mesh-xml": MESH,
    "gene-info": GENES,
    "hgnc": HGNC,
    "rrf": RRF,
    "skos": SKOS,
    "gold": GOLD,
}
NASTY = (
    b"\xff\xfe",
    b"\0",
    b"=1+1",
    b"\n",
    b"\r",
    b'"',
    b"[",
    b"{",
    b"|" * 20,
    b"<a>",
    b"&a;",
    b"is_a: AB:2\n",
    b"\t",
    b"7",
)
CHANGE = st.tuples(st.integers(0, 2_000), st.integers(0, 60), st.sampled_from(NASTY) | st.binary(max_size=8))


def damaged(content: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    """The content with pieces of it replaced."""
    for place, length, piece in changes:
        start = place % (len(content) + 1)
        content = content[:start] + piece + content[start + length :]
    return content


@pytest.mark.parametrize("form", SAMPLES)
@settings(max_examples=80, deadline=None)
@given(changes=st.lists(CHANGE, min_size=1, max_size=4))
def test_a_damaged_file_is_sound_or_refused(form: str, changes: list[tuple[int, int, bytes]]) -> None:
    """Catches a traceback, a message without its file, and an unsound concept, whatever form is damaged and how."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "v.txt"
        path.write_bytes(damaged(SAMPLES[form].encode(), changes))
        said = ""
        found: list[Concept] = []
        try:
            form_of(path)
            found = list(read_concepts(path, form=form, prefix="X"))
        except InputError as error:
            said = str(error)
        assert said == "" or "v.txt" in said
        assert all(is_curie(one.concept_id) and one.name.strip() for one in found)


def test_every_form_is_damaged() -> None:
    """Catches a form that came later and that nobody damages."""
    assert SAMPLES.keys() == FORMS.keys()


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("obograph", "[" * 200_000),
        ("obograph", '{"graphs": ' + '{"a":' * 200_000),
        ("gold", "[" * 200_000),
        ("mesh-xml", "<DescriptorRecordSet>" + "<a>" * 200_000),
        ("skos", "<skos>" * 200_000),
        ("obograph", '{"graphs": [{"nodes": [7], "edges": [8]}]}'),
        ("obograph", '{"graphs": [{"nodes": [{"id": "AB:1", "lbl": 7, "type": "CLASS"}]}]}'),
        ("obograph", '{"graphs": [{"nodes": [{"id": "AB:1", "lbl": "x", "meta": 7, "type": "CLASS"}]}]}'),
        ("gold", '{"id": "1", "text": "a", "entities": [{"type": "Gene", "text": 7, "concept": "7"}]}'),
        ("gold", '{"id": "1", "text": "a", "entities": [{"type": 7, "text": "a", "concept": "MESH:1"}]}'),
        ("gold", '{"id": "1", "text": "a", "entities": [7]}'),
    ],
)
def test_deep_and_strange_structures_are_refused(tmp_path: Path, form: str, content: str) -> None:
    """Catches a stack that overflows, and values of kinds that nobody expects."""
    (tmp_path / "v.txt").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"v\.txt"):
        list(read_concepts(tmp_path / "v.txt", form=form))


def test_a_million_synonyms_in_as_many_rows_are_refused_at_the_limit(tmp_path: Path) -> None:
    """Catches one id whose names come a row each: refused where a single row would be, and not after an hour."""
    path = tmp_path / "v.csv"
    rows = (f"T:1,name {number}\n" for number in range(1_000_000))
    with path.open("w", encoding="utf-8") as file:
        file.write("id,name\n")
        file.writelines(rows)
    with pytest.raises(InputError, match=rf"v\.csv, line {MOST_SYNONYMS + 3}: T:1 has {MOST_SYNONYMS + 1} synonyms"):
        list(read_concepts(path))


def test_as_many_rows_as_are_allowed_are_one_concept(tmp_path: Path) -> None:
    """Catches joining that costs the square of the rows, and names or weights that get lost in it."""
    path = tmp_path / "v.csv"
    path.write_text("id,name\n" + "".join(f"T:1,name {number}\n" for number in range(MOST_SYNONYMS)), encoding="utf-8")
    page = build_index(tmp_path / "v", read_concepts(path), page=VocabularyPage("v", "1", "ours"))
    assert (page.concepts, page.names) == (1, MOST_SYNONYMS)
