"""BioC and PubTator: text to the letter, annotations of others apart from it, their offsets judged."""

import json
from pathlib import Path
from typing import Any

import pytest
from dump_samples import ReadBytes, outcomes
from western_samples import BIOC_JSON, BIOC_XML, PUBTATOR, bioc_json_document

from bioner_core.formats.annotated import ForeignDocument, fits_text
from bioner_core.formats.reader import read_records


def collection(*documents: str) -> bytes:
    """A BioC collection."""
    return f"<collection><source>s</source>{''.join(documents)}</collection>".encode()


def annotated(records: list[Any]) -> ForeignDocument:
    """The first document, which has what its file says about it."""
    assert isinstance(records[0], ForeignDocument), records[0]
    return records[0]


@pytest.mark.parametrize(("content", "prefix"), [(BIOC_XML, "bioc:"), (BIOC_JSON, "bioc:"), (PUBTATOR, "pubtator:")])
def test_text_and_annotations_are_apart(content: str, prefix: str, read_bytes: ReadBytes) -> None:
    """Catches annotations of a file inside its text, lost, or placed by offsets of the document in a passage."""
    records = read_bytes(content.encode())
    assert [record.doc_id for record in records] == [f"{prefix}{i}" for i in range(1, 5)]
    document = annotated(records)
    first = document.annotations[0]
    assert (first.text, first.locations, first.passage_index, first.fits) == ("Aspirin", ((0, 7),), 0, True)
    assert ("type", "Chemical") in first.infons
    for annotation in document.annotations:
        ((start, end),), place = annotation.locations, annotation.passage_index or 0
        offset = document.passage_offsets[place]
        assert document.passages[place].text[start - offset : end - offset] == annotation.text
    assert document.passage_offsets[1] == len(document.passages[0].text) + 1
    assert len(document.relations) == 1


def test_xml_and_json_say_the_same(read_bytes: ReadBytes) -> None:
    """Catches a form of BioC in which sections or ids come out otherwise."""
    from_xml, from_json = (annotated(read_bytes(content.encode())) for content in (BIOC_XML, BIOC_JSON))
    assert [p.text for p in from_xml.passages] == [p.text for p in from_json.passages] == ["Aspirin.", "IL-2 rose."]
    assert [p.section for p in from_json.passages] == ["title", "abstract"]
    assert from_json.meta.ids == (("pmid", "1"),)


DOCUMENTS = [bioc_json_document("1"), bioc_json_document("2")]


@pytest.mark.parametrize(
    "whole",
    [
        {"PubTator3": DOCUMENTS},
        {"source": "s", "infons": {"a": '{["'}, "documents": DOCUMENTS},
        [{"source": "s", "documents": DOCUMENTS[:1]}, {"documents": DOCUMENTS[1:], "infons": {}}],
        DOCUMENTS,
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_every_shape_of_json(whole: object, indent: int | None, read_bytes: ReadBytes) -> None:
    """Catches a collection, a list or an export whose documents are lost or doubled."""
    records = read_bytes(json.dumps(whole, indent=indent).encode())
    assert [record.doc_id for record in records] == ["bioc:1", "bioc:2"]


def test_documents_one_a_line(read_bytes: ReadBytes) -> None:
    """Catches BioC JSON lines taken for our own JSON lines, which have other fields."""
    records = read_bytes("\n".join(map(json.dumps, DOCUMENTS)).encode())
    assert [record.doc_id for record in records] == ["bioc:1", "bioc:2"]


def test_records_without_text_or_with_bad_fields(read_bytes: ReadBytes) -> None:
    """Catches an unusable document that leaves no trace, or that costs its neighbours."""
    whole = {
        "documents": [
            {"id": "1"},
            {"passages": [{"text": "a", "infons": {}}]},
            {"id": "3", "passages": [{"text": 5}]},
            {"id": "4", "passages": {}},
            {"id": "5", "passages": [{"text": "a", "offset": -1}]},
            {"id": "6", "passages": [{"text": "bad \ud800"}]},
            DOCUMENTS[0],
        ]
    }
    found = outcomes(read_bytes(json.dumps(whole).encode(), format_name="bioc_json"))
    assert found == [
        "no_text",
        "missing_id",
        "malformed",
        "no_text",
        "malformed",
        "bad_characters",
        "ForeignDocument",
    ]
    xml = collection(
        "<document><id>1</id></document>",
        "<document><passage><offset>0</offset><text>a</text></passage></document>",
        "<document><id>3</id><passage><offset>x</offset><text>a</text></passage></document>",
        "<document><id>4</id><passage><offset>0</offset><text>a</text></passage></document>",
    )
    assert outcomes(read_bytes(xml)) == ["no_text", "missing_id", "malformed", "ForeignDocument"]


def test_long_json_is_read_in_pieces(read_bytes: ReadBytes) -> None:
    """Catches documents lost where a block of a large file ends, in a string or a bracket."""
    many = [bioc_json_document(str(i)) | {"infons": {"note": '}x"\\]{[' * (i % 301)}} for i in range(4000)]
    records = read_bytes(json.dumps({"documents": many, "infons": {}}).encode())
    assert [record.doc_id for record in records] == [f"bioc:{i}" for i in range(4000)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"PubTator3": [', "truncated"),
        ('{"documents": [], "infons": {}}]', "malformed"),
        ('{"documents": "' + "x" * 100, "truncated"),
        ('{"documents": ' + "[" * 100, "too_large"),
        ("[1, 2]", ""),
        ('{"documents": [], "passages": ' + " " * 2_000_000 + "[]}", ""),
    ],
)
def test_damaged_json(content: str, reason: str, read_bytes: ReadBytes) -> None:
    """Catches a cut or hostile file that passes for a whole one."""
    assert outcomes(read_bytes(content.encode(), format_name="bioc_json")) == ([reason] if reason else [])


def test_sentences_keep_their_places(read_bytes: ReadBytes) -> None:
    """Catches sentences glued together, so that annotations behind the first one no longer fit."""
    sentence = "<sentence><offset>{}</offset><text>{}</text>{}</sentence>"
    mark = '<annotation id="1"><location offset="18" length="2"/><text>测试</text></annotation>'
    passage = (
        f"<passage><offset>10</offset>{sentence.format(10, 'One.', '')}{sentence.format(18, '测试.', mark)}</passage>"
    )
    document = annotated(read_bytes(collection(f"<document><id>1</id>{passage}</document>")))
    assert document.passages[0].text == "One.    测试."
    assert document.annotations[0].fits
    overlapping = passage.replace("<offset>18<", "<offset>11<")
    document = annotated(read_bytes(collection(f"<document><id>1</id>{overlapping}</document>")))
    assert (document.passages[0].text, document.annotations[0].fits) == ("One. 测试.", False)


def test_places_outside_of_a_passage_never_fit() -> None:
    """Catches a place before the passage that Python counts from its end."""
    assert fits_text("abcabc", 10, locations=((13, 16),), mention="abc")
    assert not fits_text("abcabc", 10, locations=((4, 7),), mention="abc")
    assert not fits_text("abcabc", 10, locations=((13, 17),), mention="abc")
    assert not fits_text("abcabc", 10, locations=(), mention="")


def test_a_blank_at_the_end_of_a_title_is_the_separator(read_bytes: ReadBytes) -> None:
    """Catches offsets of the abstract that are one off in files that write the separator."""
    content = b"1|t|Aspirin \n1|a|Harm of IL-2.\n1\t16\t20\tIL-2\tGene\t3558\n"
    document = annotated(read_bytes(content))
    assert (document.passage_offsets, document.annotations[0].fits) == ((0, 8), True)


def test_pubtator_lines_out_of_place(read_bytes: ReadBytes) -> None:
    """Catches prose among annotations that is lost, annotations without a document, and the one after them lost."""
    content = b"1|t|A\nprose\n\n2\t0\t1\tA\tGene\n\n3|t|\n3|a|\n\n4|t|B\n4|a|C\n4\tCID\tD1\tD2\n4\t0\t9\n"
    records = read_bytes(content)
    assert outcomes(records) == ["malformed", "missing_id", "no_text", "ForeignDocument"]
    assert [relation.nodes for relation in records[3].relations] == [(("D1", ""), ("D2", "")), (("9", ""),)]


@pytest.mark.parametrize(
    ("file", "share"),
    [
        ("bioc/pubtator__2-sample-docs.xml", 0.18),
        ("pubtator_txt/pubtator__1-sample-annotations.txt", 0.18),
        ("bioc/biocreative-v-cdr__CDR_sample.BioC.xml", 0.93),
        ("pubtator_txt/biocreative-v-cdr__CDR_sample.PubTator.txt", 1.0),
        ("bioc/biomcp__export_22663011.json", 1.0),
    ],
)
def test_the_share_of_real_annotations_that_fit(file: str, share: float, shared_folder: Path) -> None:
    """Catches offsets counted otherwise than the collection's own check found them; most of one pair never fit."""
    found = [a for record in read_records(str(shared_folder / "dumps" / file)) for a in annotated([record]).annotations]
    assert found
    assert int(100 * sum(one.fits for one in found) / len(found)) == int(100 * share)
