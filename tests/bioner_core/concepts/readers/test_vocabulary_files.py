"""Vocabulary files of all forms, and hostile ones: the message names file and line."""

import gzip
from pathlib import Path

import pytest

from bioner_core.concepts.concept import Concept
from bioner_core.concepts.readers.registry import form_of, read_concepts
from bioner_core.errors import ConfigurationError, InputError

OBO = """format-version: 1.2

[Term]
id: AB:1
name: root thing

[Term]
id: AB:2
name: leaf thing
alt_id: AB:9
synonym: "little \\"leaf\\"" EXACT []
synonym: "leaflet" RELATED [X:1]
is_a: AB:1 ! root thing

[Term]
id: AB:3
name: gone
is_obsolete: true

[Typedef]
id: part_of
name: part of
"""
GRAPH = (
    '{"graphs": [{"nodes": [{"id": "http://purl.obolibrary.org/obo/AB_2", "type": "CLASS", "lbl": "leaf thing",'
    ' "meta": {"synonyms": [{"pred": "hasExactSynonym", "val": "leaflet"}]}},'
    ' {"id": "http://purl.obolibrary.org/obo/AB_1", "type": "CLASS", "lbl": "root thing"}],'
    ' "edges": [{"sub": "http://purl.obolibrary.org/obo/AB_2", "pred": "is_a",'
    ' "obj": "http://purl.obolibrary.org/obo/AB_1"}]}]}'
)
MESH = """<?xml version="1.0"?>
<DescriptorRecordSet><DescriptorRecord><DescriptorUI>D9</DescriptorUI>
<DescriptorName><String>Sample Fever</String></DescriptorName>
<TreeNumberList><TreeNumber>C01.1</TreeNumber></TreeNumberList>
<ConceptList><Concept PreferredConceptYN="Y"><TermList><Term><String>Fever, Sample</String></Term></TermList></Concept>
<Concept PreferredConceptYN="N"><TermList><Term><String>Sample Heat</String></Term></TermList></Concept></ConceptList>
</DescriptorRecord></DescriptorRecordSet>"""
SUPPLEMENT = """<?xml version="1.0"?>
<!DOCTYPE SupplementalRecordSet SYSTEM "https://www.nlm.nih.gov/databases/dtd/nlmsupplementalrecordset_20260101.dtd">
<SupplementalRecordSet LanguageCode = "eng">
<SupplementalRecord SCRClass = "1"><SupplementalRecordUI>C9</SupplementalRecordUI>
<SupplementalRecordName><String>samplol</String></SupplementalRecordName>
<DateCreated><Year>2020</Year><Month>01</Month><Day>01</Day></DateCreated><Frequency>1</Frequency>
<HeadingMappedToList><HeadingMappedTo><DescriptorReferredTo><DescriptorUI>*D9</DescriptorUI>
<DescriptorName><String>Sample Fever</String></DescriptorName></DescriptorReferredTo></HeadingMappedTo>
</HeadingMappedToList><ConceptList><Concept PreferredConceptYN="Y"><ConceptUI>M9</ConceptUI>
<ConceptName><String>samplol</String></ConceptName><TermList><Term ConceptPreferredTermYN="Y" RecordPreferredTermYN="Y">
<TermUI>T9</TermUI><String>samplol</String></Term><Term><TermUI>T10</TermUI><String>samplool</String></Term></TermList>
</Concept></ConceptList></SupplementalRecord></SupplementalRecordSet>"""
SKOS = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:skos="http://www.w3.org/2004/02/skos/core#"><skos:Concept rdf:about="http://x.org/c/7">
<skos:prefLabel xml:lang="en">Sample</skos:prefLabel><skos:prefLabel xml:lang="zh">样本</skos:prefLabel>
<skos:altLabel>Specimen</skos:altLabel></skos:Concept></rdf:RDF>"""
RRF = "C0000001|ENG|P|L1|PF|S1|Y|A1||||SRC|PT|c|Sample disease|0|N||\n"
RRF += "C0000001|ENG|S|L2|PF|S2|Y|A2||||SRC|SY|c|Spare|0|Y||\n"
GENES = (
    "#tax_id\tGeneID\tSymbol\tLocusTag\tSynonyms\tdbXrefs\tdescription\n9606\t7\tABC1\t-\tXY1|XY2\t-\tsample carrier\n"
)
HGNC = "hgnc_id\tsymbol\tname\tstatus\talias_symbol\tprev_symbol\tentrez_id\n"
HGNC += "HGNC:5\tABC1\tsample gene\tApproved\tXY1|XY2\t\t7\n"
TABLE = "code,display,aliases,category\nA01.0,伤寒,肠伤寒|伤寒病,Disease\n"
GOLD = '{"id": "1", "text": "a b", "entities": [{"start": 0, "end": 1, "type": "Gene", "text": "a", "concept": "7"}]}\n'


def read(tmp_path: Path, text: str, *, prefix: str = "", form: str | None = None, name: str = "v.txt") -> list[Concept]:
    """What a file of this text holds."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return list(read_concepts(path, form=form, prefix=prefix))


@pytest.mark.parametrize(
    ("text", "form", "prefix", "first", "names"),
    [
        (OBO, "obo", "", "AB:1", {"root thing"}),
        (GRAPH, "obograph", "", "AB:2", {"leaf thing", "leaflet"}),
        (MESH, "mesh-xml", "", "MESH:D9", {"Sample Fever", "Fever, Sample", "Sample Heat"}),
        (SUPPLEMENT, "mesh-xml", "", "MESH:C9", {"samplol", "samplool"}),
        (SKOS, "skos", "X", "X:7", {"Sample", "样本", "Specimen"}),
        (RRF, "rrf", "", "UMLS:C0000001", {"Sample disease"}),
        (GENES, "gene-info", "", "NCBIGene:7", {"ABC1", "XY1", "XY2", "sample carrier"}),
        (HGNC, "hgnc", "", "HGNC:5", {"ABC1", "sample gene", "XY1", "XY2"}),
        (TABLE, "table", "ICD10CN", "ICD10CN:A01.0", {"伤寒", "肠伤寒", "伤寒病"}),
        (GOLD, "gold", "", "NCBIGene:7", {"a"}),
    ],
)
def test_each_form_is_told_and_read(
    tmp_path: Path, text: str, form: str, prefix: str, first: str, names: set[str]
) -> None:
    """Catches a form that is taken for another, an id without its prefix, and a lost name."""
    found = read(tmp_path, text, prefix=prefix)
    assert form_of(tmp_path / "v.txt") == form
    assert found[0].concept_id == first
    assert {found[0].name, *(one.name for one in found[0].synonyms)} == names


def test_obo_keeps_what_it_says_and_drops_what_is_obsolete(tmp_path: Path) -> None:
    """Catches a Typedef or an obsolete term among the concepts, and quotes that stay escaped."""
    _, leaf = read(tmp_path, OBO)
    assert (leaf.replaces, leaf.parents) == (("AB:9",), ("AB:1",))
    assert [one.name for one in leaf.synonyms] == ['little "leaf"', "leaflet"]
    assert leaf.synonyms[0].weight > leaf.synonyms[1].weight


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (MESH, "Disease"),
        (MESH.replace("<TreeNumberList><TreeNumber>C01.1</TreeNumber></TreeNumberList>", ""), "Other"),
        (SUPPLEMENT, "Chemical"),
        (SUPPLEMENT.replace(' SCRClass = "1"', ""), "Chemical"),
        (SUPPLEMENT.replace('SCRClass = "1"', 'SCRClass = "2"'), "Procedure"),
        (SUPPLEMENT.replace('SCRClass = "1"', 'SCRClass = "3"'), "Disease"),
        (SUPPLEMENT.replace('SCRClass = "1"', 'SCRClass = "4"'), "Organism"),
        (SUPPLEMENT.replace('SCRClass = "1"', 'SCRClass = "5"'), "Other"),
        (SUPPLEMENT.replace('SCRClass = "1"', 'SCRClass = "6"'), "Anatomy"),
    ],
)
def test_records_of_mesh_have_the_type_that_nlm_gives_them(tmp_path: Path, text: str, kind: str) -> None:
    """Catches `Female`, which has no place in the tree, and a bacterium, that count as substances."""
    assert [one.type for one in read(tmp_path, text)] == [kind]


def test_descriptors_and_supplement_make_one_vocabulary(tmp_path: Path) -> None:
    """Catches the elements of NLM's supplement that are looked for under names of our own: no file of it is read."""
    for name, text in (("desc.xml", MESH), ("supp.xml", SUPPLEMENT)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = [one for name in ("desc.xml", "supp.xml") for one in read_concepts(tmp_path / name)]
    assert [(one.concept_id, one.name) for one in found] == [("MESH:D9", "Sample Fever"), ("MESH:C9", "samplol")]


@pytest.mark.parametrize("mark", [",", "\t"])
def test_quoted_cells_are_read_alike_in_both_kinds_of_tables(tmp_path: Path, mark: str) -> None:
    """Catches a line break in quotes that begins another concept, and quotes that become part of a name."""
    rows = [("id", "name", "synonyms"), ("T:1", '"heart\nattack, ""acute"""', '"a|b"'), ("T:2", "flu", "c")]
    text = "".join(mark.join(row) + "\n" for row in rows)
    found = read(tmp_path, text, form="table")
    assert [(one.concept_id, one.name, one.line) for one in found] == [
        ("T:1", 'heart attack, "acute"', 2),
        ("T:2", "flu", 4),
    ]
    assert [one.name for one in found[0].synonyms] == ["a", "b"]


@pytest.mark.parametrize("mark", [",", "\t"])
def test_a_quote_that_does_not_end_is_refused(tmp_path: Path, mark: str) -> None:
    """Catches a stray quotation mark that takes the rows below it into one name."""
    text = f'id{mark}name\nT:1{mark}"sample\nT:2{mark}flu\nT:3{mark}"cold" sore\n'
    with pytest.raises(InputError, match=r"v\.txt, line 2: is no [CT]SV .*quotation mark"):
        read(tmp_path, text, form="table")


def test_ncbi_writes_no_quotes(tmp_path: Path) -> None:
    """Catches a gene that is lost since a name of it begins with a quotation mark."""
    [gene] = read(tmp_path, GENES.replace("sample carrier", '"sample carrier'))
    assert '"sample carrier' in [one.name for one in gene.synonyms]


def test_hgnc_quotes_what_has_several_values(tmp_path: Path) -> None:
    """Catches aliases that keep the quotation marks of their cell, so that no mention is called so."""
    [gene] = read(tmp_path, HGNC.replace("XY1|XY2", '"XY1|XY2"'))
    assert [one.name for one in gene.synonyms] == ["sample gene", "XY1", "XY2"]


def test_umls_says_which_name_it_prefers(tmp_path: Path) -> None:
    """Catches a concept that is called by whichever language or spelling stands first."""
    row = "C1|{}|{}|L|{}|S|{}|A||||SRC|PT|c|{}|0|N||\n"
    marks = [
        ("CZE", "P", "PF", "Y", "nemoc"),
        ("ENG", "S", "PF", "Y", "ailment"),
        ("ENG", "P", "VO", "Y", "disease, sample"),
        ("ENG", "P", "PF", "N", "sample diseases"),
        ("ENG", "P", "PF", "Y", "Sample Disease"),
    ]
    found = read(tmp_path, "".join(row.format(*one) for one in marks) + RRF, form="rrf")
    names = [one.name for one in found if one.concept_id == "UMLS:C1"]
    assert names[0] == "Sample Disease"
    assert sorted(names) == sorted(one[-1] for one in marks)


def test_hgnc_gives_the_ids_of_ncbi_where_they_are_wanted(tmp_path: Path) -> None:
    """Catches genes that no gold corpus names."""
    assert read(tmp_path, HGNC, prefix="NCBIGene")[0].concept_id == "NCBIGene:7"


def test_a_gold_record_with_a_long_text_is_still_one(tmp_path: Path) -> None:
    """Catches a form that is told by a field behind the whole text of an article."""
    assert [one.name for one in read(tmp_path, GOLD.replace('"a b"', f'"a {"b" * 9_000}"'))] == ["a"]


def test_gzip_is_read_alike(tmp_path: Path) -> None:
    """Catches a packed file that is read as text."""
    path = tmp_path / "v.obo.gz"
    path.write_bytes(gzip.compress(OBO.encode()))
    assert len(list(read_concepts(path))) == 2


@pytest.mark.parametrize(
    ("text", "form", "said"),
    [
        (OBO.replace("name: leaf thing", "name leaf thing"), "obo", "line 9: .*no OBO"),
        (OBO.replace('"leaflet"', "leaflet"), "obo", "line 7: .*without quotes"),
        (OBO.replace("name: root thing", "name: root thing\nis_a: AB:2"), "obo", "line [37]: .*circle"),
        (OBO.replace("[Typedef]", "[Typedef"), "obo", "line 20: .*no OBO stanza"),
        (GRAPH[:-4], "obograph", "line 1: is no JSON"),
        ('{"graphs": 7}', "obograph", "is no OBO graph"),
        (MESH.replace("</DescriptorUI>", ""), "mesh-xml", "line [0-9]+: is no well-formed XML"),
        (RRF.replace("|0|N||", ""), "rrf", "line 1: has 15 columns"),
        ("id,name\n=cmd|' /C calc'!A0,x\n", "table", "line 2: .*no CURIE"),
        ("id,name\nT:1,=HYPERLINK(1)\n", "table", "line 2: .*formula"),
        ("id,name\nT:1,a,b,c\n", "table", "line 2: has 4 columns"),
        ("id,name\nA B,a\n", "table", "line 2: .*no CURIE"),
        ("id,name\nT:1,\n", "table", "line 2: .*no name"),
        ("wort,zahl\na,b\n", "table", "line 1: needs columns id and name"),
        (
            "id\tname\tsynonyms\nT:1\ta\t" + "|".join(map(str, range(21_000))) + "\n",
            "table",
            "line 2: .*21000 synonyms or more",
        ),
        ("id,name\nT:1," + "a" * 200_000 + "\n", "table", "line 2: is no CSV"),
        ('{"entities": [{"concept": "7"}]}\n', "gold", "line 1: is no record"),
    ],
)
def test_hostile_files_get_a_clear_error(tmp_path: Path, text: str, form: str, said: str) -> None:
    """Catches a traceback, a message without its line, and a broken file that is read in part."""
    with pytest.raises(InputError, match=rf"v\.txt.*{said}"):
        read(tmp_path, text, form=form)


def test_a_wrong_encoding_is_said_with_its_line(tmp_path: Path) -> None:
    """Catches Chinese names that are stored as rubbish."""
    path = tmp_path / "v.csv"
    path.write_bytes("id,name\nT:1,肺炎\n".encode("gb18030"))
    with pytest.raises(InputError, match=r"v\.csv, line 2: is no UTF-8"):
        list(read_concepts(path, form="table"))


def test_an_entity_bomb_is_not_opened(tmp_path: Path) -> None:
    """Catches a parser that expands entities, or reads a file that a vocabulary names."""
    bomb = MESH.replace(
        "<DescriptorRecordSet>", '<!DOCTYPE x [<!ENTITY a SYSTEM "/etc/hostname">]><DescriptorRecordSet>'
    )
    found = read(tmp_path, bomb.replace("Sample Heat", "&a;"))
    assert "" in [one.name for one in found[0].synonyms]


def test_unknown_forms_are_said(tmp_path: Path) -> None:
    """Catches a mistyped form, and a file of no form, that end in a traceback."""
    with pytest.raises(ConfigurationError, match="--format"):
        read(tmp_path, OBO, form="owl")
    with pytest.raises(InputError, match="cannot be told"):
        read(tmp_path, "hello")
