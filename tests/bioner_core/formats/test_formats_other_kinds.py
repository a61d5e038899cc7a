"""Ids, years, languages and journals as PubMed, its text export, BioC, PubTator and JSON lines write them."""

import json
from typing import Any

import pytest
from dump_samples import ReadBytes, article, articles, outcomes

TITLE = "<ArticleTitle>Zinc and colds.</ArticleTitle>"


def only(records: list[Any]) -> Any:
    """The document that is all there is."""
    assert outcomes(records) in (["Document"], ["ForeignDocument"]), records
    return records[0]


def test_the_valid_doi(read_bytes: ReadBytes) -> None:
    """Catches a DOI that PubMed marks as wrong, and one that is written as an address."""
    located = '<ELocationID EIdType="doi" ValidYN="N">10.1234/old</ELocationID>'
    new = '<ELocationID EIdType="doi" ValidYN="Y">https://dx.doi.org/10.1234/new</ELocationID>'
    assert dict(only(read_bytes(articles(article(TITLE + located + new)))).meta.ids)["doi"] == "10.1234/new"
    assert "doi" not in dict(only(read_bytes(articles(article(TITLE + located)))).meta.ids)


def test_a_pmid_of_zero(read_bytes: ReadBytes) -> None:
    """Catches two citations with the placeholder 0 that become one document."""
    records = read_bytes(articles(article(pmid="0"), article(pmid="0"), article(pmid="007")))
    assert outcomes(records) == ["missing_id", "missing_id", "Document"]
    assert records[2].doc_id == "pubmed:7"
    assert outcomes(read_bytes(b"PMID- 0\nTI  - Zinc.\n\nPMID- 7\nTI  - Zinc.\n")) == ["missing_id", "Document"]


def test_the_year_of_the_electronic_article(read_bytes: ReadBytes) -> None:
    """Catches a citation without a year because only its electronic date has one."""
    dated = f"{TITLE}<ArticleDate DateType='Electronic'><Year>2016</Year><Month>4</Month></ArticleDate>"
    assert only(read_bytes(articles(article(dated)))).meta.year == "2016"
    assert only(read_bytes(b"PMID- 7\nTI  - Zinc.\nDEP - 20160403\nLA  - ENG\n")).meta.year == "2016"


def test_layout_inside_a_text(read_bytes: ReadBytes) -> None:
    """Catches line breaks and the blanks of a printed file in the middle of a sentence."""
    part = "<Abstract><AbstractText>\n      <b>Age: 7</b>\n      <i>Drug: zinc</i>\n    </AbstractText></Abstract>"
    assert only(read_bytes(articles(article(part)))).passages[0].text == "Age: 7 Drug: zinc"


@pytest.mark.parametrize(("code", "lang"), [("ENG", "en"), ("chi", "zh"), ("Zho", "zh"), ("scc", "sr"), ("mul", "mul")])
def test_languages_of_citations(code: str, lang: str, read_bytes: ReadBytes) -> None:
    """Catches a language that no label set knows because of its capitals or its third letter."""
    assert only(read_bytes(articles(article(f"{TITLE}<Language>{code}</Language>")))).lang == lang
    assert only(read_bytes(f"PMID- 7\nTI  - Zinc.\nLA  - {code}\n".encode())).lang == lang


def bioc(journal: str, **infons: str) -> bytes:
    """A BioC document of one passage."""
    passage = {"offset": 0, "text": "Zinc.", "infons": {"type": "title", "journal": journal, **infons}}
    return json.dumps({"id": "7", "infons": {}, "passages": [passage]}).encode()


def test_a_citation_in_place_of_a_journal(read_bytes: ReadBytes) -> None:
    """Catches a whole citation stored as the name of a journal, its year and DOI unread."""
    meta = only(read_bytes(bioc("J Inv Med; 2015 Mar ; 12 (3) 4-9. doi:10.1234/j.5"))).meta
    assert (meta.journal, meta.year, meta.ids) == ("J Inv Med", "2015", (("doi", "10.1234/j.5"),))
    plain = {"article-id_pmid": "0", "article-id_pmc": "pmc9", "year": "1999"}
    meta = only(read_bytes(bioc("Heart; the journal", **plain))).meta
    assert (meta.journal, meta.year, meta.ids) == ("Heart; the journal", "1999", (("pmc", "PMC9"),))


def test_json_lines_named_by_their_article(read_bytes: ReadBytes) -> None:
    """Catches a PMID that is no id of its record, and languages of three letters in a table."""
    lines = [{"pmid": 31, "text": "Zinc.", "lang": "ENG"}, {"pmcid": "pmc5", "pmid": "0", "title": "Zinc."}]
    records = read_bytes("\n".join(map(json.dumps, lines)).encode())
    assert [(one.doc_id, one.lang, one.meta.ids) for one in records] == [
        ("jsonl:pmid:31", "en", (("pmid", "31"),)),
        ("jsonl:PMC5", "en", (("pmc", "PMC5"),)),
    ]
    passage = {"id": "a", "passages": [{"section": "title", "text": "锌", "lang": "zho"}]}
    assert only(read_bytes(json.dumps(passage).encode())).passages[0].lang == "zh"
