"""PubMed XML: what becomes text, what becomes metadata, and what must not."""

from typing import Any

import pytest
from dump_samples import ReadBytes, article, articles, citation, outcomes

from bioner_core.documents import Document
from bioner_core.records import RejectReason


def only_document(records: list[Any]) -> Document:
    """The document that is all there is."""
    assert len(records) == 1
    assert isinstance(records[0], Document), records[0]
    return records[0]


def texts(document: Document) -> list[str]:
    """The texts of its passages."""
    return [passage.text for passage in document.passages]


@pytest.mark.parametrize(
    "content",
    [
        articles(article()),
        articles(article(), doctype=""),
        articles(article(), doctype='<!DOCTYPE PubmedArticleSet SYSTEM "http://127.0.0.1:9/pubmed_190101.dtd">'),
        articles(article(), doctype="<!DOCTYPE PubmedArticleSet []>"),
        f"<MedlineCitationSet>{citation()}</MedlineCitationSet>".encode(),
        article().encode(),
        f"<!-- cut\nby hand !-->\n\n{article()}".encode(),
        f"  \n{citation()}".encode(),
        b"\n" + articles(article()),
        b"\xef\xbb\xbf" + articles(article()),
        f'<?xml version="1.0" encoding="utf-16"?>{article()}'.encode("utf-16"),
    ],
)
def test_every_root_and_document_type(content: bytes, read_bytes: ReadBytes) -> None:
    """Catches a root, a DOCTYPE form or an encoding that reads as an unknown format or as no record at all."""
    document = only_document(read_bytes(content))
    assert (document.doc_id, texts(document)) == ("pubmed:7", ["A title."])


def test_a_citation_inside_an_article_is_one_record(read_bytes: ReadBytes) -> None:
    """Catches the inner `MedlineCitation` of each `PubmedArticle` being counted as a second record."""
    records = read_bytes(articles(article(pmid="1"), article(pmid="2")))
    assert [record.doc_id for record in records] == ["pubmed:1", "pubmed:2"]


def test_text_of_mixed_content(read_bytes: ReadBytes) -> None:
    """Catches text lost after the first inline tag, kept comments, and entities that are not resolved."""
    content = (
        "<ArticleTitle>\n  CD4<sup>+</sup> &amp; <i>IL<b>2</b></i><!-- no --> &#x3b1;&#120572;<s>x</s> end "
        "</ArticleTitle>"
        '<Abstract><AbstractText>a<math xmlns="m">\n <mi>b</mi>\n</math>c</AbstractText></Abstract>'
    )
    document = only_document(read_bytes(articles(article(content))))
    assert texts(document) == ["CD4+ & IL2 \u03b1\U0001d6fcx end", "a b c"]


def test_formulas_are_read_as_in_articles(read_bytes: ReadBytes) -> None:
    """Catches halves of a fraction in one number, and a formula that stands there once more as TeX."""
    formula = (
        "<mml:math><mml:semantics><mml:mrow><mml:mfrac><mml:mn>1</mml:mn><mml:mn>2</mml:mn></mml:mfrac>"
        "<mml:mi>x</mml:mi></mml:mrow><mml:annotation>\\frac{1}{2}</mml:annotation></mml:semantics></mml:math>"
    )
    text = f"a  rate of 3{formula} mg, or {formula}, <i>a</i>\n day"
    math = 'xmlns:mml="http://www.w3.org/1998/Math/MathML"'
    content = (
        f"<ArticleTitle {math}>{text}</ArticleTitle><Abstract><AbstractText {math}>{text}</AbstractText></Abstract>"
    )
    document = only_document(read_bytes(articles(article(content))))
    assert texts(document) == ["a rate of 3 1 2 x mg, or 1 2 x, a day"] * 2


def test_abstract_holds_its_own_texts_only(read_bytes: ReadBytes) -> None:
    """Catches copyright lines and references in the text, other abstracts in the abstract, a printed UNLABELLED."""
    content = (
        "<ArticleTitle>T</ArticleTitle><Abstract>"
        '<AbstractText Label="UNLABELLED" NlmCategory="UNASSIGNED">one</AbstractText>'
        '<AbstractText Label="CONCLUSION(S)">two</AbstractText><AbstractText Label="X"> </AbstractText><AbstractText/>'
        "<CopyrightInformation>(c)</CopyrightInformation></Abstract>"
    )
    other = '<OtherAbstract Type="plain-language-summary"><AbstractText>plain</AbstractText></OtherAbstract>'
    document = only_document(read_bytes(articles(article(content, beside=other))))
    assert [(p.section, p.label, p.lang, p.text) for p in document.passages] == [
        ("title", "", "en", "T"),
        ("abstract", "", "en", "one"),
        ("abstract", "CONCLUSION(S)", "en", "two"),
        ("other_abstract", "", "en", "plain"),
    ]


def test_texts_in_other_languages_are_passages_of_their_own(read_bytes: ReadBytes) -> None:
    """Catches a Chinese abstract or a vernacular title under the wrong language, in the wrong section, or lost."""
    content = (
        "<ArticleTitle>[Asthma.]</ArticleTitle><Abstract><AbstractText>Text.</AbstractText></Abstract>"
        "<Language>eng</Language><Language>chi</Language><VernacularTitle>哮喘<sup>2</sup></VernacularTitle>"
    )
    beside = (
        '<OtherAbstract Type="Publisher" Language="chi"><AbstractText Label="目的">研究,</AbstractText>'
        "<CopyrightInformation>(c)</CopyrightInformation></OtherAbstract><KeywordList/>"
        '<OtherAbstract Type="Publisher" Language="ger"><AbstractText>Ziel</AbstractText></OtherAbstract>'
        '<OtherAbstract Type="PIP"><AbstractText>No language.</AbstractText></OtherAbstract>'
    )
    document = only_document(read_bytes(articles(article(content, beside=beside))))
    assert [(p.section, p.label, p.lang, p.text) for p in document.passages] == [
        ("title", "", "en", "[Asthma.]"),
        ("abstract", "", "en", "Text."),
        ("vernacular_title", "", "zh", "哮喘2"),
        ("other_abstract", "目的", "zh", "研究,"),
        ("other_abstract", "", "de", "Ziel"),
        ("other_abstract", "", "en", "No language."),
    ]


def test_a_title_in_its_own_language_alone_is_text(read_bytes: ReadBytes) -> None:
    """Catches a citation whose only text is its vernacular title being turned down, or its language guessed."""
    placeholder = "<ArticleTitle>[Not Available].</ArticleTitle><Language>spa</Language>"
    records = read_bytes(
        articles(
            article(placeholder + "<VernacularTitle>Asma.</VernacularTitle>"),
            article("<ArticleTitle/><VernacularTitle>Titel.</VernacularTitle>"),
        )
    )
    found = [[(p.section, p.lang, p.text) for p in record.passages] for record in records]
    assert found == [[("vernacular_title", "es", "Asma.")], [("vernacular_title", "und", "Titel.")]]


def test_metadata_comes_from_exact_paths(read_bytes: ReadBytes) -> None:
    """Catches a reference's DOI or PMID taken for the record's own, and a year lost in a `MedlineDate`."""
    content = (
        "<Journal><JournalIssue><PubDate><MedlineDate>1998 Dec-1999 Jan</MedlineDate></PubDate></JournalIssue>"
        '<Title>J</Title></Journal><ArticleTitle>T</ArticleTitle><ELocationID EIdType="doi">10.1/own</ELocationID>'
        "<Language>ger</Language>"
    )
    data = (
        '<ArticleIdList><ArticleId IdType="pubmed">7</ArticleId><ArticleId IdType="pmc">PMC5</ArticleId>'
        "</ArticleIdList>"
        '<ReferenceList><Reference><ArticleIdList><ArticleId IdType="doi">10.1/other</ArticleId></ArticleIdList>'
        "</Reference></ReferenceList>"
    )
    keywords = "<KeywordList><Keyword>k<i>1</i></Keyword><Keyword/></KeywordList>"
    document = only_document(read_bytes(articles(article(content, beside=keywords, data=data))))
    assert dict(document.meta.ids) == {"pmid": "7", "pmc": "PMC5", "doi": "10.1/own"}
    meta = document.meta
    assert (document.lang, meta.journal, meta.year, meta.keywords) == ("de", "J", "1998", ("k1",))


def test_version_is_read_and_checked(read_bytes: ReadBytes) -> None:
    """Catches a hard-coded version 1, and a version that is no number ending the whole file."""
    numbered = article().replace('Version="1"', 'Version="3"')
    absent = article().replace(' Version="1"', "")
    broken = article().replace('Version="1"', 'Version="two"')
    records = read_bytes(articles(numbered, broken, absent))
    assert [getattr(record, "version", None) for record in records] == [3, None, 1]
    assert (records[1].reason, records[1].doc_id) == (RejectReason.MALFORMED, "pubmed:7")


def test_book_has_its_own_title_when_the_chapter_has_none(read_bytes: ReadBytes) -> None:
    """Catches books, which have no `MedlineCitation`, being lost or read without a title."""
    book = (
        "<PubmedBookArticle><BookDocument><PMID Version='1'>9</PMID><ArticleIdList>"
        "<ArticleId IdType='doi'>10.1/b</ArticleId></ArticleIdList><Book><BookTitle>Whole book</BookTitle>"
        "<PubDate><Year>2012</Year></PubDate></Book><Language>eng</Language>{}"
        "<Abstract><AbstractText>Text</AbstractText></Abstract></BookDocument><PubmedBookData/></PubmedBookArticle>"
    )
    records = read_bytes(articles(book.format(""), book.format("<ArticleTitle>Chapter</ArticleTitle>")))
    assert [texts(record) for record in records] == [["Whole book", "Text"], ["Chapter", "Text"]]
    assert (records[0].meta.journal, records[0].meta.year) == ("Whole book", "2012")


def test_each_deleted_pmid_is_a_record(read_bytes: ReadBytes) -> None:
    """Catches a `DeleteCitation` that is lost, counted once for all its PMIDs, or stripped of its versions."""
    deleted = '<DeleteCitation><PMID Version="1">5</PMID><PMID Version="2">6</PMID><PMID/></DeleteCitation>'
    records = read_bytes(articles(article(), deleted))
    assert outcomes(records) == ["Document", "Deletion", "Deletion", "missing_id"]
    assert [(d.doc_id, d.version, d.record_number) for d in records[1:3]] == [("pubmed:5", 1, 1), ("pubmed:6", 2, 2)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (article("<ArticleTitle/><Abstract><AbstractText> </AbstractText></Abstract>"), RejectReason.NO_TEXT),
        (article("<ArticleTitle>[In Process Citation]</ArticleTitle>"), RejectReason.NO_TEXT),
        (article("<ArticleTitle>Not Available</ArticleTitle>"), RejectReason.NO_TEXT),
        (article(pmid=" "), RejectReason.MISSING_ID),
        ("<PubmedArticle/>", RejectReason.MISSING_ID),
        (article("<ArticleTitle>a &unheardof; b</ArticleTitle>"), RejectReason.MALFORMED),
    ],
)
def test_an_unusable_record_is_one_reject_and_the_next_is_read(
    content: str, reason: RejectReason, read_bytes: ReadBytes
) -> None:
    """Catches a bad record that is dropped in silence, or that takes its neighbours with it."""
    records = read_bytes(articles(article(pmid="1"), content, article(pmid="2")))
    assert outcomes(records) == ["Document", reason, "Document"]
    assert [record.meta.record_number for record in (records[0], records[2])] == [0, 2]
    assert (records[1].record_number, records[1].stage) == (1, "read")


def test_a_set_without_a_record_is_no_reject(read_bytes: ReadBytes) -> None:
    """Catches an empty reply of efetch being reported as a broken file."""
    assert read_bytes(articles()) == []


def test_records_far_beyond_one_chunk(read_bytes: ReadBytes) -> None:
    """Catches records lost or doubled where a chunk of the stream ends inside them."""
    many = [article(f"<ArticleTitle>{'word ' * (i % 97)}{i}</ArticleTitle>", pmid=str(i)) for i in range(1, 3000)]
    records = read_bytes(articles(*many))
    assert [record.doc_id for record in records] == [f"pubmed:{i}" for i in range(1, 3000)]
