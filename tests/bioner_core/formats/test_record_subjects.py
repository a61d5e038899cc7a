"""What records of other sources than PubMed say of their subject: JATS subjects, class codes, bioner's own form."""

import json

import pytest
from dump_samples import ReadBytes, outcomes

from bioner_core.documents import Correction, Heading

CATEGORIES = """<article-categories>
<subj-group subj-group-type="heading"><subject>Research <italic>Article</italic></subject></subj-group>
<subj-group subj-group-type="Discipline-v2"><subject vocab-term-identifier="http://x.org/7">Biology</subject>
<subj-group><subject>Cell
 biology</subject><subject/></subj-group></subj-group>
<subj-group subj-group-type="heading"><subject>Research Article</subject></subj-group>
</article-categories>"""
JATS = f"""<article article-type="research-article"><front><article-meta>
<article-id pub-id-type="pmc">7</article-id>{CATEGORIES}
<title-group><article-title>A title</article-title></title-group></article-meta></front>
<body><p>Cells grew.</p></body>
<sub-article article-type="reply"><front-stub><title-group><article-title>Answer</article-title></title-group>
</front-stub><body><p>Thanks.</p></body></sub-article></article>"""
E_STUDY = "SrcDatabase-来源库: 期刊\nTitle-题名: 肺炎一例\nCLC-中图分类号: R563.1; R445，R563.1\n"
CSSCI = "【来源篇名】护理研究\n【中图类号】R473\n【关键词】护理/研究\n"
TABLE = "<table><tr><td>题名</td><td>中图分类号</td></tr><tr><td>肺炎一例</td><td>R563.1</td></tr></table>"
REFWORKS = "RT Journal Article\nSR 1\nA1 某人\nT1 肺炎一例\nCL 博士\n"


def test_jats_subjects_and_types(read_bytes: ReadBytes) -> None:
    """Catches a subject that is lost, doubled, torn by markup or without its group; an answer that is research."""
    article, answer = read_bytes(JATS.encode())
    assert article.meta.headings == (
        Heading("jats-subject", "", "Research Article", "heading"),
        Heading("jats-subject", "http://x.org/7", "Biology", "Discipline-v2"),
        Heading("jats-subject", "", "Cell biology", "Discipline-v2"),
    )
    assert article.meta.publication_types == ("research-article",)
    assert (answer.meta.headings, answer.meta.publication_types) == ((), ("reply",))


def test_subjects_nested_deep_do_no_harm(read_bytes: ReadBytes) -> None:
    """Catches a stack that overflows where groups lie in groups."""
    deep = "<subj-group><subject>x</subject>" * 200 + "</subj-group>" * 200
    [article, _] = read_bytes(JATS.replace(CATEGORIES, f"<article-categories>{deep}</article-categories>").encode())
    assert article.meta.headings == (Heading("jats-subject", "", "x"),)


@pytest.mark.parametrize(
    ("content", "codes"),
    [(E_STUDY, ["R563.1", "R445"]), (CSSCI, ["R473"]), (TABLE, ["R563.1"]), (E_STUDY.split("CLC")[0], [])],
)
def test_class_codes(content: str, codes: list[str], read_bytes: ReadBytes) -> None:
    """Catches class codes that are lost, or several that are taken for one."""
    [record] = read_bytes(content.encode())
    assert record.meta.headings == tuple(Heading("clc", code, code) for code in codes)


def test_a_format_without_class_codes_says_nothing_of_them(read_bytes: ReadBytes) -> None:
    """Catches `no class` said of records whose format has no such field; RefWorks' `CL` of CNKI is a degree."""
    [record] = read_bytes(REFWORKS.encode())
    assert record.meta.headings is None


def test_bioners_own_form_keeps_what_the_record_said(read_bytes: ReadBytes) -> None:
    """Catches headings, types or notices that are lost when a store's documents are an input again."""
    meta = {
        "headings": [{"vocabulary": "mesh", "id": "D1", "name": "Fever", "qualifier": "", "major": True}],
        "publication_types": ["Review"],
        "corrections": [{"kind": "RetractionIn", "reference": "J. 2020", "doc_id": ""}],
    }
    line = {"id": "a", "passages": [{"text": "x"}], "meta": meta}
    plain = {"id": "b", "passages": [{"text": "x"}]}
    broken = [
        {**line, "meta": {"headings": [{"vocabulary": "mesh", "id": 7, "name": "Fever"}]}},
        {**line, "meta": {"publication_types": "Review"}},
        {**line, "meta": {"corrections": [{"kind": "RetractionIn"}]}},
    ]
    kept, bare, *refused = read_bytes("\n".join(map(json.dumps, [line, plain, *broken])).encode())
    assert kept.meta.headings == (Heading("mesh", "D1", "Fever", major=True),)
    assert kept.meta.publication_types == ("Review",)
    assert kept.meta.corrections == (Correction("RetractionIn", "J. 2020"),)
    assert (bare.meta.headings, bare.meta.publication_types, bare.meta.corrections) == (None, None, None)
    assert outcomes(refused) == ["malformed"] * 3
