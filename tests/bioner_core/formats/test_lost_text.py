"""The measure of loss: text that is in no passage and that nothing names as not read."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bioner_core.documents import Document
from bioner_core.formats.cnki_estudy_xml import CnkiEStudyXmlReader
from bioner_core.formats.cnki_notefirst import CnkiNoteFirstReader
from bioner_core.formats.contract import MAX_LOST_SHARE, missing_count
from bioner_core.formats.endnote_xml import EndNoteXmlReader
from bioner_core.formats.export_xml import SENTENCE
from bioner_core.formats.jats_loss import UNREAD_META, UNREAD_TITLES
from bioner_core.formats.jats_text import UNREAD
from bioner_core.formats.pubmed_loss import UNREAD as UNREAD_OF_PUBMED
from bioner_core.formats.reader import read_records
from bioner_core.records import Reject, RejectReason

FORMATS_PAGE = Path(__file__).parents[3] / "docs" / "formats.md"

ARTICLE = """<article xmlns:xlink="http://www.w3.org/1999/xlink"><front>
<journal-meta><journal-title>Invented Letters</journal-title></journal-meta>
<article-meta><article-id pub-id-type="pmc">77</article-id>
<title-group><article-title>Of kidneys<fn><p>A note.</p></fn></article-title><alt-title>Kidneys</alt-title>
<fn-group><title>Notes</title><fn><label>a</label><p>Given at a meeting.</p></fn></fn-group></title-group>
<contrib-group><contrib><name>Nobody</name></contrib></contrib-group><volume>3</volume>
<abstract><title>Abstract</title><sec><title>Aim</title><p>To see.</p></sec></abstract>{meta}</article-meta></front>
<body><sec><label>1</label><title>What we did</title><p>We saw <alternatives><inline-graphic xlink:href="x"/>
<tex-math>\\begin{{document}}$k_1$\\end{{document}}</tex-math></alternatives> and <inline-formula><math>
<mi>k</mi></math><tex-math>k</tex-math></inline-formula>. {long}</p>
<table-wrap><label>Table 1</label><table><tr><td>in</td><td>out</td></tr></table>
<table-wrap-foot><title>Key</title><fn><p>All in mM.</p></fn></table-wrap-foot></table-wrap></sec></body>
<back><ref-list><title>References</title><ref><mixed-citation>Nobody 2001.</mixed-citation></ref></ref-list></back>
{behind}</article>"""
CITATION = """<PubmedArticleSet><PubmedArticle><MedlineCitation>
<PMID>88</PMID><Article><ArticleTitle>Of livers.</ArticleTitle>
<Abstract>{stray}<AbstractText>{long}</AbstractText>{part}<CopyrightInformation>Mine.</CopyrightInformation></Abstract>
{second}<Language>eng</Language></Article><GeneralNote>A note.</GeneralNote>
<OtherAbstract Language="fre"><AbstractText>Des foies.</AbstractText></OtherAbstract></MedlineCitation>
<PubmedData><PublicationStatus>ppublish</PublicationStatus></PubmedData></PubmedArticle></PubmedArticleSet>"""
BOOK = """<PubmedBookArticleSet><PubmedBookArticle><BookDocument><PMID>99</PMID>
<Book><BookTitle>A book of livers</BookTitle></Book><ArticleTitle>A chapter.</ArticleTitle>
<Abstract><AbstractText>{long}</AbstractText></Abstract>{inside}<Sections><Section>One</Section></Sections>
</BookDocument>{beside}<PubmedBookData><History/></PubmedBookData></PubmedBookArticle></PubmedBookArticleSet>"""
END_NOTE = """<xml><records><record><contributors><authors><author>Nobody</author></authors></contributors>{stray}
<titles><title><style>Of livers</style></title><secondary-title>J Inv</secondary-title>{title}</titles>
<keywords><keyword>liver</keyword></keywords><dates><year>2001</year></dates><abstract>{long}</abstract>
<notes>A note.</notes>{beside}</record></records></xml>"""
E_STUDY = """<ROOT><DATA><DataType>1</DataType><Title>Of livers</Title><Author>Nobody</Author><Source>J Inv</Source>
<Summary>{long}</Summary><Keyword>liver;;kidney</Keyword>{beside}</DATA></ROOT>"""
NOTE_FIRST = """<Bibliographies><Bibliography><Type>Journal</Type><PrimaryTitle><Title Lang="en">Of livers</Title>
</PrimaryTitle><Media>J Inv</Media><Keywords><Keyword Lang="en">liver</Keyword></Keywords>
<Abstract Lang="en">{long}</Abstract>{beside}</Bibliography></Bibliographies>"""
SAID = "It was said in a place of which nothing here knows that it is there."
SAID_SIZE = 54
LONG = "All of it was seen in twelve animals, none of which had been seen before. " * 10


def read_one(folder: Path, text: str) -> Document | Reject:
    """The one record of a file."""
    path = folder / "in.xml"
    path.write_text(text, encoding="utf-8")
    [record] = read_records(str(path))
    assert isinstance(record, Document | Reject)
    return record


def lost_of(folder: Path, text: str) -> int:
    """How many characters of the one document of a file are lost."""
    record = read_one(folder, text)
    assert isinstance(record, Document)
    return record.meta.lost_characters


def article(*, meta: str = "", behind: str = "", long: str = LONG) -> str:
    """An article that has a bit of everything."""
    return ARTICLE.format(meta=meta, behind=behind, long=long)


def citation(*, stray: str = "", part: str = "", second: str = "", long: str = LONG) -> str:
    """A citation that has a bit of everything."""
    return CITATION.format(stray=stray, part=part, second=second, long=long)


def book(*, inside: str = "", beside: str = "") -> str:
    """A chapter of a book."""
    return BOOK.format(inside=inside, beside=beside, long=LONG)


def end_note(*, stray: str = "", title: str = "", beside: str = "", long: str = LONG) -> str:
    """A record of EndNote XML."""
    return END_NOTE.format(stray=stray, title=title, beside=beside, long=long)


def e_study(beside: str = "") -> str:
    """A record of E-Study XML."""
    return E_STUDY.format(beside=beside, long=LONG)


def note_first(beside: str = "") -> str:
    """A record of NoteFirst XML."""
    return NOTE_FIRST.format(beside=beside, long=LONG)


@pytest.mark.parametrize("make", [article, citation, book, end_note, e_study, note_first])
def test_nothing_is_lost_of_what_is_known(make: Callable[[], str], tmp_path: Path) -> None:
    """Would catch labels, second forms and metadata that count as lost, and notes of titles and tables that are."""
    assert lost_of(tmp_path, make()) == 0


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        (article(meta="<lay-words>In plain words.</lay-words>"), 13),
        (article(behind="<epilogue>At last it ends.</epilogue>"), 13),
        (article(meta="<lay-words><label>1</label>It grew.</lay-words>"), 7),
        (citation(stray="It stands bare."), 13),
        (citation(part="<AbstractSection>In a part.</AbstractSection>"), 8),
        (citation(second="<Abstract><AbstractText>Said again.</AbstractText></Abstract>"), 10),
        (citation(second="<ArticleTitle>Of hearts.</ArticleTitle>"), 9),
        (citation(second="<AbstractText>Astray here.</AbstractText>"), 11),
        (citation(second="<OtherAbstract><AbstractText>Astray.</AbstractText></OtherAbstract>"), 7),
        (book(inside="<OtherAbstract><AbstractText>Des foies.</AbstractText></OtherAbstract>"), 9),
        (book(inside="<Synopsis>In a few words.</Synopsis>"), 12),
        (book(beside="<BookBlurb>Read me.</BookBlurb>"), 7),
        (end_note(beside=f"<full-text>{SAID}</full-text>"), SAID_SIZE),
        (end_note(beside="<full-text>No. 12</full-text>"), 0),
        (end_note(title=f"<foreign-title><style>{SAID}</style></foreign-title>"), SAID_SIZE),
        (end_note(stray="bare"), 4),
        (e_study(f"<FullText>{SAID}</FullText>"), SAID_SIZE),
        (note_first(f"<Body><P>{SAID}</P><Author>Nobody</Author></Body>"), SAID_SIZE),
    ],
)
def test_text_of_unknown_elements_is_counted(tmp_path: Path, text: str, lost: int) -> None:
    """Would catch text that goes missing without a sign because an element is new, misplaced or there twice."""
    assert lost_of(tmp_path, text) == lost


@pytest.mark.parametrize(
    ("make", "doc_id"),
    [(article, "pmc:PMC77"), (citation, "pubmed:88"), (end_note, "endnote:"), (book, "pubmed:99")],
)
def test_a_document_that_loses_too_much_is_a_reject(make: Callable[..., str], doc_id: str, tmp_path: Path) -> None:
    """Would catch an article whose text is somewhere else than in its passages, annotated as if that were all."""
    unknown = f"<Unknown>{LONG}</Unknown>"
    place = {article: "meta", citation: "part", end_note: "beside", book: "beside"}[make]
    record = read_one(tmp_path, make(**{place: unknown}))
    assert isinstance(record, Reject)
    assert record.reason is RejectReason.LOST_TEXT
    assert record.doc_id.startswith(doc_id)
    assert "characters" in record.message
    assert MAX_LOST_SHARE == 0.1


@pytest.mark.parametrize(
    ("extra", "lost"),
    [
        ("", 0),
        ("<annotation><text>of it</text></annotation>", 0),
        ("<fulltext>More.</fulltext>", 5),
        ("astray", 6),
        ("<text>Said again.</text>", 10),
        (f"<sentence><offset>0</offset><text>{LONG}</text></sentence>", 0),
        ("<sentence><offset>0</offset><text>Not in it.</text></sentence>", 8),
    ],
)
def test_bioc_counts_what_it_has_no_place_for(extra: str, lost: int, tmp_path: Path) -> None:
    """Would catch text of a passage that stands in another element, bare, or in a second one, and so nowhere."""
    passage = f"<passage><infon key='type'>title</infon><offset>0</offset><text>{LONG}</text>{extra}</passage>"
    text = f"<collection><source>BioC</source><document><id>4</id>{passage}</document></collection>"
    assert lost_of(tmp_path, text) == lost


def test_text_given_out_twice_makes_up_for_none_that_is_lost() -> None:
    """Would catch a measure that adds what is doubled to what is lost and calls the sum nothing."""
    assert missing_count("abcd efgh", ["ab"], kept=["cd", "cd"]) == 4
    assert missing_count("abcd efgh", ["ab"], kept=["cdef", "gh"]) == 0


def test_the_page_names_all_that_is_not_read() -> None:
    """Would catch an element that the measure passes over though no user can know that it is not read."""
    page = FORMATS_PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"`([A-Za-z0-9-]+)`", page))
    unread = UNREAD | UNREAD_META | UNREAD_TITLES | frozenset().union(*UNREAD_OF_PUBMED.values())
    unread |= EndNoteXmlReader.unread | CnkiEStudyXmlReader.unread | CnkiNoteFirstReader.unread
    assert f"{SENTENCE} characters" in page
    assert unread - {"sub-article", "response", "front", "front-stub"} <= named
