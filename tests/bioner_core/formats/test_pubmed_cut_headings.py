"""Headings that are read from bytes must be those that the parser would have read, whatever a file holds."""

import io
from typing import Any

import pytest
from dump_samples import TITLE, article, articles, citation, outcomes
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bioner_core.documents import Heading
from bioner_core.formats import pubmed, pubmed_cut_headings
from bioner_core.formats.pubmed import PubmedReader
from bioner_core.formats.pubmed_cut_headings import CutHeadings
from tests.fuzz_length import for_long

FEVER = """
<MeshHeading>
  <DescriptorName UI="D1" MajorTopicYN="N">Fever</DescriptorName>
  <QualifierName UI="Q1" MajorTopicYN="Y">drug therapy</QualifierName>
  <QualifierName UI="Q2" MajorTopicYN="N">etiology</QualifierName>
</MeshHeading>"""
NORWAY = (
    '<MeshHeading><DescriptorName UI="D2" MajorTopicYN="Y" Type="Geographic">Norway</DescriptorName></MeshHeading>\n'
)
SYRUPS = """
<Chemical>
  <RegistryNumber>0</RegistryNumber>
  <NameOfSubstance UI="D4">Syrups</NameOfSubstance>
</Chemical>"""
HEADINGS = f"<MeshHeadingList>{FEVER}{NORWAY}</MeshHeadingList>"
SUBSTANCES = f"<ChemicalList>{SYRUPS}\n</ChemicalList>"

# What stands in place of a piece of a list: markup that looks like it, markup that hides it, and other forms of it.
ODD = (
    "<!-- </MeshHeading> -->",
    "<!-- <MeshHeadingList> -->",
    "<![CDATA[<MeshHeading>]]>",
    "<![CDATA[</MeshHeadingList>]]>",
    "<?a </MeshHeadingList> ?>",
    "&#60;MeshHeading>",
    "&amp;",
    "&copy;",
    "&unknown;",
    "]]>",
    "é",
    "\x0b",
    "\x1f",
    "text",
    "<MeshHeading/>",
    "<MeshHeadingList/>",
    "<MeshHeading></MeshHeading>",
    '<MeshHeading><DescriptorName UI="D9" UI="D8" MajorTopicYN="N">Twice</DescriptorName></MeshHeading>',
    "<MeshHeading><DescriptorName MajorTopicYN='Y' UI='D9'>Quoted</DescriptorName></MeshHeading>",
    '<MeshHeading><DescriptorName MajorTopicYN="Y" UI="D9">Other order</DescriptorName></MeshHeading>',
    '<MeshHeading ><DescriptorName\nUI="D9"\tMajorTopicYN="Y" >Blanks</DescriptorName ></MeshHeading >',
    '<MeshHeading><DescriptorName UI="D9&amp;" MajorTopicYN="Y">Value</DescriptorName></MeshHeading>',
    '<MeshHeading><DescriptorName UI="D9\n" MajorTopicYN="Y">Line end</DescriptorName></MeshHeading>',
    '<MeshHeading><DescriptorName UI="D9" MajorTopicYN="Y"> Name\r\n of lines </DescriptorName></MeshHeading>',
    '<MeshHeading><DescriptorName UI="D9" MajorTopicYN="N"> </DescriptorName></MeshHeading>',
    '<MeshHeading><DescriptorName UI="" MajorTopicYN=""> a "name" > \'it\' </DescriptorName></MeshHeading>',
    '<MeshHeading><DescriptorName UI="" MajorTopicYN="N" UI="D9">Twice</DescriptorName></MeshHeading>',
    '<MeshHeading><DescriptorName MajorTopicYN="Y">No id</DescriptorName><QualifierName MajorTopicYN="N"> a &amp; b '
    '</QualifierName><QualifierName MajorTopicYN="Y" UI="Q9">x MajorTopicYN="N"</QualifierName></MeshHeading>',
    '<MeshHeading><DescriptorName UI="D9" MajorTopicYN="N">A&amp;amp;&amp</DescriptorName></MeshHeading>',
    '<MeshHeading><DescriptorName UI="D9" MajorTopicYN="N">A &amp;amp; B</DescriptorName><QualifierName UI=""'
    ' MajorTopicYN="Y" UI="Q">twice</QualifierName></MeshHeading>',
    '<MeshHeading><DescriptorName UI="D9" MajorTopicYN="N">A<b>b</b></DescriptorName></MeshHeading>',
    '<MeshHeading xmlns="urn:x"><DescriptorName UI="D9" MajorTopicYN="N">Space</DescriptorName></MeshHeading>',
    '<MeshHeading><QualifierName UI="Q1" MajorTopicYN="N">alone</QualifierName></MeshHeading>',
    '<MeshHeading><DescriptorName UI="D1" MajorTopicYN="N">A</DescriptorName>between</MeshHeading>',
    "<Chemical><NameOfSubstance>no number</NameOfSubstance></Chemical>",
    '<Chemical><RegistryNumber> 0 </RegistryNumber><NameOfSubstance UI="C1"> Blank </NameOfSubstance></Chemical>',
    "</MeshHeading>",
    "</MeshHeadingList><MeshHeadingList>",
    "</MeshHeadingList >",
    "<AuthorList><Author/></AuthorList>",
    "</PubmedArticle ><PubmedArticle>",
)
CONTENT = st.lists(st.sampled_from([FEVER, NORWAY, SYRUPS, "\n ", *ODD]), max_size=3).map("".join)
LISTS = st.one_of(
    st.sampled_from([HEADINGS, SUBSTANCES, "", *ODD]),
    CONTENT.map("<MeshHeadingList>{}</MeshHeadingList>".format),
    CONTENT.map("<ChemicalList>{}</ChemicalList>".format),
    CONTENT.map('<MeshHeadingList xmlns="urn:x" a="1">{}</MeshHeadingList>'.format),
)
# Where a list may be; only the first is where one is read.
PLACES = st.sampled_from(
    [
        lambda listed: article(beside=listed),
        lambda listed: article(TITLE + listed),
        lambda listed: article(f"<ArticleTitle>T {listed}</ArticleTitle>"),
        lambda listed: article(f"<Abstract><AbstractText>T {listed}</AbstractText>{listed}</Abstract>"),
        lambda listed: article(beside=f"{SUBSTANCES}{listed}{HEADINGS}"),
        lambda listed: article(beside=f"<OtherAbstract><AbstractText>T{listed}</AbstractText></OtherAbstract>"),
        lambda listed: article(beside=f"<Unknown>{listed}</Unknown>{HEADINGS}"),
        lambda listed: article(beside=f"<Unknown xmlns='urn:y'>{listed}</Unknown>"),
        lambda listed: article(beside=f"<MedlineCitation>{listed}</MedlineCitation>"),
        lambda listed: article(beside=article(beside=listed)),
        lambda listed: article(data=listed),
        lambda listed: f"{citation(beside=listed)}{article(beside=listed)}",
        lambda listed: f"<Unknown>{listed}</Unknown>{article()}",
        lambda listed: f"<PubmedArticle>{citation(beside=listed)}</PubmedArticle >{article(beside=listed)}",
        lambda listed: (
            f"<PubmedBookArticle><BookDocument><PMID>1</PMID>{TITLE}{article(beside=listed)}"
            "</BookDocument></PubmedBookArticle>"
        ),
    ]
)


class Trickle:
    """A stream that gives out a few bytes at a time, so that every tag is cut by an edge somewhere."""

    def __init__(self, content: bytes, size: int) -> None:
        self._content, self._size = io.BytesIO(content), size

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, and at most as many as this stream gives out."""
        return self._content.read(min(size, self._size))


def read_both(content: bytes, *, size: int = 1 << 20) -> tuple[list[Any], list[Any]]:
    """The records of a file with lists taken out and with nothing taken out, fed in pieces of a size."""
    cut = list(PubmedReader().read(Trickle(content, size), input_file="f"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pubmed, "without_lists", lambda pieces, _: pieces)
        return cut, list(PubmedReader().read(Trickle(content, size), input_file="f"))


def check(content: bytes, *, size: int) -> None:
    """Both ways give the same; where the XML is damaged, the same up to there, as the file ends at another byte."""
    cut, whole = read_both(content, size=size)
    if outcomes(whole)[-1:] in (["malformed"], ["truncated"]) and whole[-1].message.startswith("XML"):
        assert cut[: len(whole) - 1] == whole[:-1]
        # A processing instruction is taken out before, and with it what it made of a `<` that stood alone.
        assert content.count(b"?>") > 1 or outcomes(cut)[-1:] == outcomes(whole)[-1:]
    else:
        assert cut == whole


FILES = st.lists(st.tuples(PLACES, LISTS), min_size=1, max_size=3).map(
    lambda parts: articles(*(place(listed) for place, listed in parts), article())
)


@settings(max_examples=500)
@given(content=FILES, size=st.sampled_from([1 << 20, 997, 61]))
def test_headings_are_the_parser_s(content: bytes, size: int) -> None:
    """Catches a list whose entries are read otherwise, or that is taken out where its text counts elsewhere."""
    check(content, size=size)


@pytest.mark.slow
@settings(max_examples=for_long(4_000))
@given(content=FILES, size=st.integers(1, 300))
def test_headings_are_the_parser_s_for_long(content: bytes, size: int) -> None:
    """Catches a combination of place, form and edge that the short run has no time to meet."""
    check(content, size=size)


@settings(max_examples=300)
@example(at=0, size=1, piece="")
@given(at=st.integers(0, len(HEADINGS)), size=st.integers(0, 20), piece=st.sampled_from(["", " ", "x", *ODD]))
def test_a_list_that_differs_in_anything_is_parsed(at: int, size: int, piece: str) -> None:
    """Catches a list with a byte more, fewer or other that is still taken for one of NLM's form."""
    broken = HEADINGS[:at] + piece + HEADINGS[at + size :]
    check(articles(article(beside=broken), article()), size=1 << 20)


def test_lists_are_taken_out() -> None:
    """Catches lists that all go to the parser, which only the clock would show."""
    cut = CutHeadings()
    cut.begin_document(b"")
    left = cut.taken(b"MeshHeadingList", HEADINGS.encode())
    assert left is not None
    assert len(left) < 60
    assert cut.taken(b"ChemicalList", SUBSTANCES.encode()) is not None


def test_what_is_taken_out_is_in_the_record() -> None:
    """Catches a heading, a qualifier or a substance that is lost with its list, or two records that swap theirs."""
    content = articles(article(beside=SUBSTANCES + HEADINGS), article(), article(beside=HEADINGS))
    cut, whole = read_both(content)
    assert cut == whole
    norway = Heading("mesh", "D2", "Norway", "", True)
    fever = Heading("mesh", "D1", "Fever", "drug therapy", True), Heading("mesh", "D1", "Fever", "etiology", False)
    syrups = Heading("mesh-chemical", "D4", "Syrups", "", False)
    assert [one.meta.headings for one in cut] == [(*fever, norway, syrups), (), (*fever, norway)]


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "utf-16", "utf-7", "iso-2022-jp", "shift_jis", "gb18030"])
def test_bytes_are_read_as_the_document_s_encoding_has_them(encoding: str) -> None:
    r"""Catches a `\`, `~` or `+` that means another character in the file's encoding than in ASCII."""
    named = HEADINGS.replace("Norway", r"a\b~{c+AGE-d")
    text = articles(article(beside=named)).decode().replace('"utf-8"', f'"{encoding}"')
    cut, whole = read_both(text.encode("utf-16" if encoding == "utf-16" else "ascii"))
    assert cut == whole


@pytest.mark.parametrize(
    ("prolog", "listed"),
    [
        (b'<?xml version="1.0" encoding="Shift_JIS"?>', HEADINGS.encode()),
        (b"<?xml version='1.0' encoding = 'hz'?>", HEADINGS.encode()),
        (b"", HEADINGS.replace("Norway", "Norv\u00e8ge").encode()),
        (b"", HEADINGS.encode().replace(b"Norway", b"Nor\xffway")),
    ],
)
def test_what_other_encodings_write_is_the_parser_s(prolog: bytes, listed: bytes) -> None:
    """Catches bytes that are taken for ASCII, or for UTF-8, without being that."""
    cut = CutHeadings()
    cut.begin_document(prolog)
    assert cut.taken(b"MeshHeadingList", listed) is None


def test_nobody_can_pretend_that_a_list_was_taken_out() -> None:
    """Catches a number in a file by which one record is given the headings of another."""
    stolen = "".join(f'<MeshHeadingList {name}="1"/>' for name in ("n", "number", "n0000000000000000"))
    cut, whole = read_both(articles(article(beside=stolen), article(beside=HEADINGS)))
    assert cut == whole


def test_lists_outside_of_all_records_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches memory that grows with a file of lists that no record has."""
    monkeypatch.setattr(pubmed_cut_headings, "MOST_HELD_LISTS", 2)
    cut = CutHeadings()
    cut.begin_document(b"")
    assert [cut.taken(b"MeshHeadingList", HEADINGS.encode()) is None for _ in range(4)] == [False, False, True, True]
    found, whole = read_both(articles(f"<Unknown>{HEADINGS}</Unknown>{article()}" * 4, article(beside=HEADINGS)))
    assert found == whole
