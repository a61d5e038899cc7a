"""JATS: envelopes, sections, tables, captions, formulas, parts; what becomes text and what must not."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from dump_samples import ReadBytes, outcomes
from lxml import etree
from western_samples import IN_OAI, JATS, OAI, jats_article, oai_record, oai_reply

from bioner_core.documents import Document
from bioner_core.formats.reader import read_records, summarise_input

MATH = "http://www.w3.org/1998/Math/MathML"


def only(records: list[Any]) -> Document:
    """The document that is all there is."""
    assert len(records) == 1
    assert isinstance(records[0], Document), records[0]
    return records[0]


def parts(records: list[Any]) -> list[tuple[str, str, str]]:
    """Section, label and text of each passage behind the title."""
    return [(p.section, p.label, p.text) for p in only(records).passages if p.section != "title"]


@pytest.mark.parametrize(
    "content",
    [
        jats_article().encode(),
        f'<?xml version="1.1" encoding="utf8" ?>{jats_article()}'.encode(),
        f'<!DOCTYPE article PUBLIC "-//NLM//DTD JATS v1.0//EN" "a.dtd">\n{jats_article()}'.encode(),
        f"<pmc-articleset>{jats_article()}</pmc-articleset>".encode(),
        f"<articles>{jats_article()}</articles>".encode(),
        oai_reply(oai_record(jats_article(attributes=IN_OAI))),
        jats_article(attributes=IN_OAI).encode(),
    ],
)
def test_every_envelope(content: bytes, read_bytes: ReadBytes) -> None:
    """Catches an envelope or a namespace in which an article reads as nothing."""
    document = only(read_bytes(content))
    assert (document.doc_id, document.source, document.lang) == ("pmc:PMC7", "pmc", "en")
    assert [(p.section, p.text) for p in document.passages] == [("title", "A title"), ("body", "Cells grew.")]
    assert (document.meta.journal, document.meta.ids) == ("J Inv", (("pmc", "PMC7"),))


@pytest.mark.parametrize("content", [JATS.encode(), OAI])
def test_every_article_of_a_set(content: bytes, read_bytes: ReadBytes) -> None:
    """Catches articles of a set or a harvest lost with the one before them."""
    assert [record.doc_id for record in read_bytes(content)] == [f"pmc:PMC{i}" for i in range(1, 5)]


def test_withdrawn_and_empty_records_of_a_harvest(read_bytes: ReadBytes) -> None:
    """Catches a withdrawn article that stays in the store, and a record without an article that leaves no trace."""
    records = read_bytes(
        oai_reply(
            oai_record(jats_article("1", attributes=IN_OAI)),
            '<record><header status="deleted"><identifier>oai:pubmedcentral.nih.gov:2</identifier></header></record>',
            oai_record('<dc xmlns="dc"><title>Not JATS</title></dc>'),
            oai_record(jats_article("3", attributes=IN_OAI)),
        )
    )
    assert outcomes(records) == ["Document", "Deletion", "no_text", "Document"]
    assert records[1].doc_id == "pmc:PMC2"


def test_nested_sections_have_their_own_heading(read_bytes: ReadBytes) -> None:
    """Catches paragraphs of nested sections lost, or under the heading of another section."""
    body = (
        "<p>Before.</p><sec><label>1</label><title>Methods</title><p>Outer.</p>"
        "<sec><title>Cell <italic>culture</italic></title><p>Inner.</p></sec><p>Outer again.</p></sec>"
    )
    assert parts(read_bytes(jats_article(body=body).encode())) == [
        ("body", "", "Before."),
        ("heading", "1", "Methods"),
        ("body", "Methods", "Outer."),
        ("heading", "", "Cell culture"),
        ("body", "Cell culture", "Inner."),
        ("body", "Methods", "Outer again."),
    ]


def test_tables_figures_and_notes_are_passages_of_their_own_section(read_bytes: ReadBytes) -> None:
    """Catches captions and cells mixed into the paragraph around them, cells run together, and pictures as text."""
    table = (
        "<table-wrap><label>Table 1</label><caption><title>Doses</title><p>In mg.</p></caption><alternatives>"
        "<graphic/><table><thead><tr><th>Drug</th><th>Dose</th></tr></thead><tbody><tr><td>Aspirin</td><td>1<sup>a</sup>"
        "</td></tr><tr><td/></tr></tbody></table></alternatives><table-wrap-foot><fn><label>a</label><p>Daily.</p></fn>"
        "</table-wrap-foot></table-wrap>"
    )
    figure = (
        "<fig><object-id>doi</object-id><label>Fig. 2</label><caption><p>Cells.</p></caption>"
        "<alt-text>alt</alt-text><graphic/></fig>"
    )
    body = f"<p>Doses (<xref>Table 1</xref>){table} were low{figure}.</p>"
    floats = "<floats-group><fig><label>Fig. 3</label><caption><p>Late.</p></caption></fig></floats-group>"
    assert parts(read_bytes(jats_article(body=body, after=floats).encode())) == [
        ("body", "", "Doses (Table 1)"),
        ("caption", "Table 1", "Doses"),
        ("caption", "Table 1", "In mg."),
        ("table", "Table 1", "Drug\tDose\nAspirin\t1a"),
        ("footnote", "Table 1", "Daily."),
        ("body", "", "were low"),
        ("caption", "Fig. 2", "Cells."),
        ("body", "", "."),
        ("caption", "Fig. 3", "Late."),
    ]


def test_formulas_are_text(read_bytes: ReadBytes) -> None:
    """Catches formulas that vanish, that are there in two forms, or that bring TeX's preamble along."""
    mathml = f'<math xmlns="{MATH}"><mi>a</mi><mo>=</mo><mn>2</mn><annotation>a=2</annotation></math>'
    tex = "<tex-math>\\documentclass{minimal}\\begin{document}$$b^2$$\\end{document}</tex-math>"
    body = (
        f"<p>If <inline-formula><alternatives>{tex}{mathml}</alternatives></inline-formula>, then "
        f"<inline-formula>{tex}</inline-formula>, hence<disp-formula><label>(1)</label>{mathml}</disp-formula>holds."
        f"</p><disp-formula>{mathml}</disp-formula>"
    )
    assert parts(read_bytes(jats_article(body=body).encode())) == [
        ("body", "", "If a=2, then $$b^2$$, hence a=2 holds."),
        ("body", "", "a=2"),
    ]


def test_abstracts_and_titles_of_all_kinds(read_bytes: ReadBytes) -> None:
    """Catches a translated abstract inside the English one, and a structured abstract without its headings."""
    front = (
        "<abstract><title>Abstract</title><sec><title>Background</title><p>One.</p></sec></abstract>"
        '<abstract abstract-type="graphical"><p>Picture.</p></abstract>'
        '<trans-abstract xml:lang="zh-CN"><p>目的</p></trans-abstract>'
        "<kwd-group><kwd>a <italic>b</italic></kwd></kwd-group><pub-date><year>2021</year></pub-date>"
        '<pub-date><year>2020</year></pub-date><article-id pub-id-type="pmid">5</article-id>'
        '<article-id pub-id-type="pmcid-ver">PMC7.3</article-id>'
    )
    title = "</article-title><trans-title-group xml:lang='zh'><trans-title>题目</trans-title></trans-title-group>"
    content = jats_article(front=front).replace("</article-title>", title)
    document = only(read_bytes(content.encode()))
    assert [(p.section, p.label, p.lang, p.text) for p in document.passages] == [
        ("title", "", "en", "A title"),
        ("vernacular_title", "", "zh", "题目"),
        ("abstract", "Background", "en", "One."),
        ("other_abstract", "", "en", "Picture."),
        ("other_abstract", "", "zh", "目的"),
        ("body", "", "en", "Cells grew."),
    ]
    assert (document.version, document.meta.year, document.meta.keywords) == (3, "2020", ("a b",))
    assert document.meta.ids == (("pmid", "5"), ("pmc", "PMC7"))


def test_sub_articles_are_documents(read_bytes: ReadBytes) -> None:
    """Catches a decision letter inside the article's own text, and a part that is lost or has no id."""
    inner = (
        '<sub-article xml:lang="fr"><front-stub><article-id pub-id-type="doi">10.1/x</article-id><title-group>'
        "<article-title>Letter</article-title></title-group></front-stub><body><p>Weak.</p></body></sub-article>"
        "<response><body><p>Strong.</p></body></response><sub-article/>"
    )
    records = read_bytes(jats_article(after=inner).encode())
    assert outcomes(records) == ["Document", "Document", "Document", "no_text"]
    assert [record.doc_id for record in records] == ["pmc:PMC7", "pmc:PMC7/1", "pmc:PMC7/2", "pmc:PMC7/3"]
    assert [[p.text for p in record.passages] for record in records[:3]] == [
        ["A title", "Cells grew."],
        ["Letter", "Weak."],
        ["Strong."],
    ]
    assert (records[1].lang, records[1].meta.ids, records[1].meta.journal) == ("fr", (("doi", "10.1/x"),), "J Inv")


def test_references_are_not_read(read_bytes: ReadBytes) -> None:
    """Catches titles of other people's articles in the text; acknowledgements and notes are text."""
    after = (
        "<back><ack><title>Thanks</title><p>To all.</p></ack><ref-list><title>References</title><ref><mixed-citation>"
        "Other</mixed-citation></ref></ref-list><fn-group><fn><p>Note.</p></fn></fn-group></back>"
    )
    assert parts(read_bytes(jats_article(body="", after=after).encode())) == [
        ("heading", "", "Thanks"),
        ("back", "Thanks", "To all."),
        ("footnote", "", "Note."),
    ]


@pytest.mark.parametrize(
    ("ids", "doc_id"),
    [
        ('<article-id pub-id-type="doi">10.1/A</article-id>', "pmc:doi:10.1/a"),
        (
            '<article-id pub-id-type="doi">10.1/A</article-id><article-id pub-id-type="pmid">5</article-id>',
            "pmc:pmid:5",
        ),
        ('<article-id pub-id-type="pmcid">PMC9</article-id>', "pmc:PMC9"),
    ],
)
def test_articles_are_named_by_what_there_is(ids: str, doc_id: str, read_bytes: ReadBytes) -> None:
    """Catches a publisher's article, which has no PMC id, that cannot be stored."""
    assert only(read_bytes(jats_article("", front=ids).encode())).doc_id == doc_id


def test_unusable_articles_cost_no_other(read_bytes: ReadBytes) -> None:
    """Catches a nameless article, one without text, or one with an unknown entity that takes the set with it."""
    nameless, broken = jats_article(""), jats_article("8", body="<p>a &unheardof; b</p>")
    empty = jats_article("9", body="").replace("A title", "")
    content = f"<!DOCTYPE articles SYSTEM 'x.dtd'><articles>{nameless}{broken}{empty}{jats_article()}</articles>"
    records = read_bytes(content.encode())
    assert outcomes(records) == ["missing_id", "malformed", "no_text", "Document"]


def test_an_article_inside_an_article_is_no_other_document(read_bytes: ReadBytes) -> None:
    """Catches hostile nesting that gives a text out twice, under two names."""
    records = read_bytes(jats_article(body=f"<p>a{jats_article('8')}</p>").encode())
    assert [record.doc_id for record in records] == ["pmc:PMC7"]


def test_deep_nesting_is_read_or_turned_down(read_bytes: ReadBytes) -> None:
    """Catches a recursion error: as deep as the parser lets through, sections are read."""
    for depth in (100, 245):
        body = "<sec><title>t</title>" * depth + "<p>Deep.</p>" + "</sec>" * depth
        assert outcomes(read_bytes(jats_article(body=body).encode())) == ["Document"]
    lists = "<list><list-item>" * 120 + "<p>Deep.</p>" + "</list-item></list>" * 120
    assert parts(read_bytes(jats_article(body=lists).encode())) == [("body", "", "Deep.")]
    deeper = "<sec>" * 300 + "</sec>" * 300
    assert outcomes(read_bytes(jats_article(body=deeper).encode())) == ["too_large"]


HIDDEN = frozenset({"label", "object-id", "alt-text", "tex-math", "annotation", "uri"})


def visible_pieces(tree: Any) -> list[str]:
    """The texts between two tags that a reader sees in an article, without blanks; found independently."""
    found: list[str] = []
    for area in tree.iter("{*}article-title", "{*}abstract", "{*}body", "{*}floats-group"):
        if next(area.iterancestors("{*}ref", "{*}product", "{*}related-article"), None) is not None:
            continue
        for node in area.iter(etree.Element):
            inside = [node, *node.iterancestors()]
            names = {etree.QName(one).localname for one in inside}
            if not names & HIDDEN and "ref-list" not in names:
                found.append(re.sub(r"\s+", "", node.text or ""))
    return found


def test_nothing_that_a_reader_sees_is_lost(shared_folder: Path) -> None:
    """Catches text of any real element that the walk over an article passes by."""
    dumps = shared_folder / "dumps"
    for file in sorted([*(dumps / "jats").iterdir(), *(dumps / "jats_oai").iterdir()]):
        content = file.read_bytes()
        content = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
        tree = etree.fromstring(content, etree.XMLParser(load_dtd=False, no_network=True, remove_pis=True))
        documents = [record for record in read_records(str(file)) if isinstance(record, Document)]
        ours = "".join(re.sub(r"\s+", "", p.text + p.label) for document in documents for p in document.passages)
        # Headings of an abstract that say only so, and of one that is a picture.
        bare = {"abstract", "graphicalabstract"}
        lost = [one for one in visible_pieces(tree) if one not in ours and one.lower() not in bare]
        assert not documents or not lost, (file.name, lost[:5])


def test_summary_counts_parts(shared_folder: Path) -> None:
    """Catches a plan that counts articles where documents are read."""
    file = shared_folder / "dumps" / "jats" / "jcore-base__PMC3747765.nxml.gz"
    assert summarise_input(str(file)).records == len(list(read_records(str(file)))) == 53
