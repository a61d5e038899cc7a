"""JATS as publishers write it: OASIS tables, old NLM elements, notes inside sentences, languages, ids, years."""

from typing import Any

import pytest
from dump_samples import ReadBytes, outcomes
from western_samples import jats_article

from bioner_core.documents import Document

OASIS = "http://www.niso.org/standards/z39-96/ns/oasis-exchange/table"
MATH = "http://www.w3.org/1998/Math/MathML"


def body_of(read_bytes: ReadBytes, body: str) -> list[tuple[str, str]]:
    """Section and text of each passage of an article with this body, its title left out."""
    return [(p.section, p.text) for p in document(read_bytes, body=body).passages[1:]]


def document(read_bytes: ReadBytes, content: str = "", **parts: str) -> Document:
    """The document of an article, or of whole content."""
    records: list[Any] = read_bytes((content or jats_article(**parts)).encode())
    assert outcomes(records) == ["Document"], records
    found: Document = records[0]
    return found


@pytest.mark.parametrize("prefix", ["oasis:", "x:", ""])
def test_oasis_tables(prefix: str, read_bytes: ReadBytes) -> None:
    """Catches the cells of an OASIS table lost but for its caption, whatever its prefix, spans and groups are."""
    row = "<P:row><P:entry>{}</P:entry><P:entry namest='b' nameend='c'>{}</P:entry></P:row>"
    rows = [row.format("Gene", "Fold change"), row.format("<i>MYC</i>", "2.5")]
    table = (
        f"<P:table><P:tgroup cols='3'><P:colspec colname='a'/><P:thead>{rows[0]}</P:thead><P:tbody>{rows[1]}</P:tbody>"
        "</P:tgroup></P:table>"
    ).replace("P:", prefix)
    wrap = f'<table-wrap xmlns:{prefix[:-1] or "none"}="{OASIS}"><label>Table 9</label>{table}</table-wrap>'
    assert body_of(read_bytes, wrap) == [("table", "Gene\tFold change\nMYC\t2.5")]


def test_tables_in_arrays_and_in_cells(read_bytes: ReadBytes) -> None:
    """Catches cells of an array glued together, and a table in a cell that is read twice."""
    rows = "<tr><td>serum</td><td>10 %</td></tr><tr><td>agar</td><td>2 %</td></tr>"
    assert body_of(read_bytes, f"<array><tbody>{rows}</tbody></array>") == [("table", "serum\t10 %\nagar\t2 %")]
    nested = f"<table><tr><td>media<table>{rows}</table></td><td>end</td></tr></table>"
    assert body_of(read_bytes, nested) == [("table", "media serum 10 % agar 2 %\tend")]


@pytest.mark.parametrize("name", ["floats-wrap", "floats-group"])
def test_floats_behind_the_body(name: str, read_bytes: ReadBytes) -> None:
    """Catches figures and tables of NLM 2 lost with the element that gathers them."""
    floats = f"<{name}><fig><label>Fig 3</label><caption><p>Bile ducts.</p></caption></fig></{name}>"
    content = jats_article().replace("</article>", f"{floats}</article>")
    assert [(p.section, p.label, p.text) for p in document(read_bytes, content).passages][-1] == (
        "caption",
        "Fig 3",
        "Bile ducts.",
    )


def test_words_inside_a_sentence(read_bytes: ReadBytes) -> None:
    """Catches supplements, plain forms beside pictures, and second forms of a formula cut out of or into a sentence."""
    body = (
        "<p>See <inline-supplementary-material>Data S4 (KRAS)</inline-supplementary-material>, with "
        "<alternatives><inline-graphic/><textual-form>γ-globin</textual-form></alternatives> and <inline-formula>"
        f'<m:math xmlns:m="{MATH}"><m:mi>y</m:mi></m:math><tex-math>y</tex-math></inline-formula>.</p>'
    )
    assert body_of(read_bytes, body) == [("body", "See Data S4 (KRAS), with γ-globin and y.")]


def test_fractions_and_readings(read_bytes: ReadBytes) -> None:
    """Catches the two halves of a fraction glued into one word, and readings that split a Chinese word."""
    fraction = f'<m:math xmlns:m="{MATH}"><m:mfrac><m:mtext>dead</m:mtext><m:mtext>all</m:mtext></m:mfrac></m:math>'
    assert body_of(read_bytes, f"<p>A {fraction} of mice</p>") == [("body", "A dead all of mice")]
    ruby = "<p>The <ruby><rb>肺</rb><rp>(</rp><rt>fèi</rt><rp>)</rp></ruby>癌 cells</p>"
    assert body_of(read_bytes, ruby) == [("body", "The 肺癌 cells"), ("ruby", "fèi")]


@pytest.mark.parametrize("name", ["term-head", "def-head", "chem-struct-wrap", "address", "code", "sig-block"])
def test_blocks_cut_the_text_around_them(name: str, read_bytes: ReadBytes) -> None:
    """Catches the heads of a list of definitions, or a block between two words, glued to what stands beside them."""
    body = f"<p>Short<{name}>Long</{name}>tail</p>"
    assert [text for _, text in body_of(read_bytes, body)] == ["Short", "Long", "tail"]


def test_notes_stand_beside_the_sentence(read_bytes: ReadBytes) -> None:
    """Catches a footnote or an index term that cuts a sentence in two, or stands in the middle of a title."""
    body = (
        "<p>Mice<fn><label>1</label><p>Bred here.</p></fn> ate <index-term><term>ghrelin</term></index-term>less.</p>"
    )
    expected = [("body", "Mice ate less."), ("footnote", "Bred here."), ("index_term", "ghrelin")]
    assert body_of(read_bytes, body) == expected
    title = jats_article().replace("A title", "A<fn><p>Given as a talk.</p></fn> title")
    passages = document(read_bytes, title).passages
    assert [(p.section, p.text) for p in passages[:2]] == [("title", "A title"), ("footnote", "Given as a talk.")]
    cell = "<table><tr><td>IL6<fn><p>Serum.</p></fn></td><td>5</td></tr></table>"
    assert body_of(read_bytes, cell) == [("table", "IL6\t5"), ("footnote", "Serum.")]


def test_parts_that_had_no_place(read_bytes: ReadBytes) -> None:
    """Catches the heading of back matter, labels of statements, notes of the front and feet of tables that are lost."""
    foot = (
        "<table-wrap><table><tr><td>a</td></tr></table><table-wrap-foot><p>b, mean.</p></table-wrap-foot></table-wrap>"
    )
    body = f"<statement><label>Lemma 2</label><p>It holds.</p></statement>{foot}"
    content = jats_article(body=body).replace(
        "</article>", "<back><title>End</title><ack><p>Thanks.</p></ack></back></article>"
    )
    content = content.replace("</front>", "<notes><p>Shared first.</p></notes></front>")
    assert [(p.section, p.label, p.text) for p in document(read_bytes, content).passages[1:]] == [
        ("notes", "", "Shared first."),
        ("body", "Lemma 2", "It holds."),
        ("table", "", "a"),
        ("footnote", "", "b, mean."),
        ("heading", "", "End"),
        ("back", "End", "Thanks."),
    ]


def test_titles_and_languages(read_bytes: ReadBytes) -> None:
    """Catches second subtitles and bare translated titles lost, and languages that no label set has."""
    titles = (
        "</article-title><subtitle>One</subtitle><subtitle>Two</subtitle><trans-title xml:lang='FRE'>Un titre"
        "</trans-title><trans-title-group><trans-title xml:lang='zho'>某题</trans-title></trans-title-group>"
        "</title-group>"
    )
    body = "<sec xml:lang='ger'><p>Die Leber.</p><p xml:lang='en-GB'>The liver.</p></sec><p>本文研究肝脏。</p>"
    content = jats_article(body=body).replace("</article-title></title-group>", titles)
    content = content.replace("<article", "<article xml:lang='eng'", 1).replace(" xml:lang='en'", "", 1)
    found = document(read_bytes, content)
    assert found.lang == "en"
    assert [(p.section, p.lang, p.text) for p in found.passages] == [
        ("title", "en", "A title"),
        ("title", "en", "One"),
        ("title", "en", "Two"),
        ("vernacular_title", "fr", "Un titre"),
        ("vernacular_title", "zh", "某题"),
        ("body", "de", "Die Leber."),
        ("body", "en", "The liver."),
        ("body", "zh", "本文研究肝脏。"),
    ]


SUBMITTED = "<pub-date pub-type='nihms-submitted'><year>2003</year></pub-date>"
RECEIVED = "<pub-date date-type='received'><year>2003</year></pub-date>"


@pytest.mark.parametrize(
    ("dates", "year"),
    [
        (f"{SUBMITTED}<pub-date pub-type='epub'><year>2005</year>", "2005"),
        (f"{RECEIVED}<pub-date date-type='pub'><year>2004</year>", "2004"),
        ("<pub-date pub-type='pmc-release'><year>2007</year>", "2007"),
        ("<pub-date iso-8601-date='2008-02-01'>", "2008"),
    ],
)
def test_the_year_is_that_of_publication(dates: str, year: str, read_bytes: ReadBytes) -> None:
    """Catches the year in which a manuscript was handed in, taken for that of the article."""
    assert document(read_bytes, front=f"{dates}</pub-date>").meta.year == year


@pytest.mark.parametrize(
    ("kind", "written", "doc_id", "ids"),
    [
        ("doi", "https://doi.org/10.1234/Xy", "pmc:doi:10.1234/xy", ("doi", "10.1234/Xy")),
        ("doi", "DOI: 10.1234/z", "pmc:doi:10.1234/z", ("doi", "10.1234/z")),
        ("pmcid", "pmc77", "pmc:PMC77", ("pmc", "PMC77")),
        ("pmid", "0012", "pmc:pmid:12", ("pmid", "12")),
    ],
)
def test_ids_have_one_form(kind: str, written: str, doc_id: str, ids: tuple[str, str], read_bytes: ReadBytes) -> None:
    """Catches one article under two names, because its DOI was a URL or its PMC id in small letters."""
    found = document(read_bytes, jats_article("", front=f'<article-id pub-id-type="{kind}">{written}</article-id>'))
    assert (found.doc_id, found.meta.ids) == (doc_id, (ids,))


def test_a_pmid_of_zero_names_nothing(read_bytes: ReadBytes) -> None:
    """Catches all articles with the placeholder 0 becoming one."""
    ids = '<article-id pub-id-type="pmid">0</article-id><article-id pub-id-type="doi">10.1234/q</article-id>'
    assert document(read_bytes, jats_article("", front=ids)).doc_id == "pmc:doi:10.1234/q"


def test_standard_entities_of_the_document_type(read_bytes: ReadBytes) -> None:
    """Catches an article that is lost for a blank of its document type, which is never loaded."""
    doctype = '<!DOCTYPE article PUBLIC "-//NLM//DTD JATS (Z39.96) v1.2//EN" "journal.dtd">'
    content = doctype + jats_article(body="<p>10&nbsp;&mu;M <i>&agr;</i>-SMA&hairsp;&Delta;</p>")
    assert document(read_bytes, content).passages[-1].text == "10\xa0μM α-SMA\u200aΔ"
