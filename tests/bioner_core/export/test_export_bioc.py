"""BioC exports, read back by the `bioc` library and by our own readers."""

from pathlib import Path
from typing import Any

import bioc
import pytest
from bioc import biocjson, biocxml
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from bioner_core.export import bioc as bioc_export
from bioner_core.export.provenance import Tally, xml_characters
from bioner_core.formats.annotated import ForeignDocument
from bioner_core.formats.reader import read_records
from tests.bioner_core.export.awkward_store import CHINESE, DOCUMENTS, ENGLISH, MENTIONS
from tests.bioner_core.export.conftest import Export

ACCEPTED = {name for name, one in MENTIONS.items() if one.accepted}


def collection_of(path: Path, format_name: str) -> bioc.BioCCollection:
    """The file as the library reads it."""
    with path.open(encoding="utf-8", newline="") as file:
        return biocxml.load(str(path)) if format_name == "bioc-xml" else biocjson.load(file)


@pytest.mark.parametrize("format_name", ["bioc-xml", "bioc-json"])
def test_the_public_reader_finds_every_mention_at_its_place(export: Export, format_name: str) -> None:
    """Catches offsets in bytes or UTF-16, a missing separator between passages, and carriage returns that XML eats."""
    path, _ = export(format_name)
    seen = set()
    for document in collection_of(path, format_name).documents:
        expected = 0
        for passage, ours in zip(document.passages, DOCUMENTS[document.id].passages, strict=True):
            assert passage.offset == expected
            expected += len(ours.text) + 1
            assert passage.text == ours.text.replace("\x1b", "\ufffd" if format_name == "bioc-xml" else "\x1b")
            for annotation in passage.annotations:
                [place] = annotation.locations
                start = place.offset - passage.offset
                assert passage.text[start : start + place.length] == annotation.text == MENTIONS[annotation.id].text
                assert annotation.infons["type"] == MENTIONS[annotation.id].type
                assert float(annotation.infons["selector_score"]) == MENTIONS[annotation.id].selector_score
                seen.add(annotation.id)
    assert seen == ACCEPTED


@pytest.mark.parametrize("format_name", ["bioc-xml", "bioc-json"])
def test_nesting_is_a_relation_between_mentions_that_are_there(export: Export, format_name: str) -> None:
    """Catches parents that are lost, or relations that point at nothing."""
    path, _ = export(format_name)
    found = {
        (relation.nodes[0].refid, relation.nodes[1].refid)
        for document in collection_of(path, format_name).documents
        for passage in document.passages
        for relation in passage.relations
    }
    assert found == {(one.mention_id, one.parent_id) for one in MENTIONS.values() if one.accepted and one.parent_id}
    assert len(found) == 4


@pytest.mark.parametrize("format_name", ["bioc-xml", "bioc-json"])
def test_our_own_reader_agrees(export: Export, format_name: str) -> None:
    """Catches an export that the next annotation run could not read."""
    path, _ = export(format_name, all_candidates=True)
    found = [one for one in read_records(str(path)) if isinstance(one, ForeignDocument)]
    assert len(found) == len(DOCUMENTS)
    assert all(annotation.fits for one in found for annotation in one.annotations)
    assert sum(len(one.annotations) for one in found) == len(MENTIONS)
    english = next(one for one in found if "pubmed" in one.doc_id)
    assert [one.section for one in english.passages] == [one.section for one in ENGLISH.passages]


def test_provenance_stands_in_the_file_and_beside_it(export: Export) -> None:
    """Catches an export that cannot be traced to a model and a state of the store."""
    path, report = export("bioc-json")
    collection = collection_of(path, "bioc-json")
    assert collection.infons["exported_from"] == report["exported_from"] == "shards"
    assert all(one.infons["model_fingerprint"] == "f00d" for one in collection.documents)
    assert all(one.infons["input_file"] == "in/dump.xml" for one in collection.documents)
    assert report["model_fingerprints"] == {"f00d": 4}


def test_xml_says_how_many_characters_it_could_not_hold(export: Export) -> None:
    """Catches a silent change of text, and one that is counted again in each mention."""
    _, report = export("bioc-xml")
    assert report["replaced_characters"] == 1
    assert export("bioc-json")[1]["replaced_characters"] == 0


def test_what_the_selector_turned_down_comes_on_demand(export: Export) -> None:
    """Catches --all-candidates or --label-set without effect."""
    counts: dict[str, Any] = {
        "all": export("bioc-json", name="a")[1],
        "candidates": export("bioc-json", name="b", all_candidates=True)[1],
        "one": export("bioc-json", name="c", label_set="cmeee")[1],
    }
    assert {name: one["mentions"] for name, one in counts.items()} == {
        "all": len(ACCEPTED),
        "candidates": len(MENTIONS),
        "one": sum(one.label_set == "cmeee" and one.accepted for one in MENTIONS.values()),
    }
    assert CHINESE.doc_id in {one.id for one in collection_of(export("bioc-json", name="d")[0], "bioc-json").documents}


@given(st.text(), st.text())
def test_any_text_survives_xml(text: str, name: str) -> None:
    """Catches a character that is written as it is and breaks the file, or comes back as another one."""
    passage = {"infons": {name: text}, "offset": 0, "text": text, "annotations": [], "relations": []}
    found = etree.fromstring(bioc_export._passage(passage, Tally()))
    infon = found.find("infon")
    assert infon is not None
    assert infon.get("key") == xml_characters(name, Tally())
    assert (infon.text or "") == xml_characters(text, Tally())
    assert (found.findtext("text") or "") == xml_characters(text, Tally())
