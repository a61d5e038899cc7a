"""Cutting unread lists out of PubMed files must never change what is read."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dump_samples import ReadBytes, article, articles, outcomes
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bioner_core.formats import pubmed
from bioner_core.formats.contract import FileFault
from bioner_core.formats.pubmed_cut_headings import CutHeadings
from bioner_core.formats.pubmed_cuts import MOST_HELD_BYTES, without_lists
from bioner_core.records import Reject, RejectReason
from tests.fuzz_length import for_long

AUTHORS = '<AuthorList CompleteYN="Y"><Author><LastName>A</LastName></Author></AuthorList>'
REFERENCES = "<ReferenceList><Reference><Citation>c</Citation></Reference></ReferenceList>"
HISTORY = "<History><PubMedPubDate><Year>2001</Year></PubMedPubDate></History>"
PAGES = "<Pagination><MedlinePgn>1-9</MedlinePgn></Pagination>"
TITLE = "<ArticleTitle>T</ArticleTitle>"
ABSTRACT = "<Abstract><AbstractText>Text <i>one</i>.</AbstractText></Abstract>"

TROUBLE = (
    "<!-- </PubmedArticle><AuthorList> -->",
    "<!-- <AuthorList> -->",
    "<![CDATA[<AuthorList></AuthorList>]]>",
    "<![CDATA[</PubmedArticle>]]>",
    "<?nihms?>",
    "<?a <AuthorList> ?>",
    "<?a </PubmedArticle> ?>",
    "<? </PubmedArticle> ?>",
    "<?xml version='1.0'?>",
    "<AuthorList/>",
    "<AuthorListOf><Abstract/></AuthorListOf>",
    f"<AuthorList>{AUTHORS}</AuthorList>",
    "<ReferenceList></ReferenceList>",
    "&#60;AuthorList>",
    "?> <",
)


def cut(content: bytes, size: int = 64) -> bytes:
    """The bytes of a body that are left, fed in pieces of a size."""
    return b"".join(without_lists((content[i : i + size] for i in range(0, len(content), size)), CutHeadings()))


def test_unread_lists_are_cut() -> None:
    """Catches a cut that never happens, which only the clock would show."""
    body = article(TITLE + PAGES + AUTHORS, data=HISTORY + REFERENCES).encode()
    left = cut(body * 3)
    assert left == article(TITLE).encode() * 3


def read_whole(content: bytes, read_bytes: ReadBytes) -> list[Any]:
    """What is read when nothing is cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pubmed, "without_lists", lambda pieces, _: pieces)
        return read_bytes(content)


def broken_off(records: list[Any]) -> bool:
    """Whether the XML is damaged, so that nothing behind the damage was read."""
    return outcomes(records)[-1:] in (["malformed"], ["truncated"]) and records[-1].message.startswith("XML")


PARTS = st.lists(st.sampled_from([AUTHORS, REFERENCES, HISTORY, TITLE, ABSTRACT, "\n  ", *TROUBLE]), max_size=5).map(
    "".join
)


ARTICLES = st.lists(st.tuples(PARTS, PARTS, PARTS, PARTS), min_size=1, max_size=4)


DAMAGED = "XML is damaged"


def without_parser_words(records: list[Any]) -> list[Any]:
    """Records, without what the parser says of damage: `< ... ?>` around a list that is cut is damaged otherwise."""
    return [
        replace(one, message=DAMAGED) if isinstance(one, Reject) and one.message.startswith(DAMAGED) else one
        for one in records
    ]


def check_cutting(parts: list[tuple[str, str, str, str]], read_bytes: ReadBytes) -> None:
    """What is read with and without cutting is the same.

    A file that is not well-formed may be read further when its damage is in a list: what is read before is the same.
    """
    content = articles(*(article(a, beside=b, data=c) + d for a, b, c, d in parts))
    with_cuts, whole = without_parser_words(read_bytes(content)), without_parser_words(read_whole(content, read_bytes))
    if broken_off(whole):
        assert with_cuts[: len(whole) - 1] == whole[:-1]
    else:
        assert with_cuts == whole


@settings(max_examples=400)
@example(parts=[("", "", f"?> <{AUTHORS}?> <", "<?xml version='1.0'?>")])
@example(parts=[("", "", AUTHORS, "?> <?> <")])
@given(parts=ARTICLES)
def test_cutting_changes_nothing_that_is_read(parts: list[tuple[str, str, str, str]], read_bytes: ReadBytes) -> None:
    """Catches a list whose end is found in a comment, in CDATA or in another list, so that a text goes with it."""
    check_cutting(parts, read_bytes)


@pytest.mark.slow
@settings(max_examples=for_long(4_000))
@given(parts=ARTICLES)
def test_cutting_changes_nothing_for_long(parts: list[tuple[str, str, str, str]], read_bytes: ReadBytes) -> None:
    """Catches a combination of lists, comments and instructions that the short run has no time to meet."""
    check_cutting(parts, read_bytes)


@pytest.mark.parametrize("trouble", TROUBLE)
def test_trouble_in_one_article_costs_no_other(trouble: str, read_bytes: ReadBytes) -> None:
    """Catches an article lost because something in the one before it looked like a list or hid its end."""
    content = articles(article(TITLE + AUTHORS, data=trouble), article(TITLE + AUTHORS + ABSTRACT, data=REFERENCES))
    with_cuts, whole = read_bytes(content), read_whole(content, read_bytes)
    assert outcomes(with_cuts) == outcomes(whole)
    assert broken_off(whole) or (with_cuts == whole and outcomes(whole)[-1] == "Document")


@pytest.mark.parametrize(
    "hidden",
    [
        "<?a </PubmedArticle><AuthorList></b> ?>",
        "<!-- </PubmedArticle><AuthorList></b> -->",
        "<?a <AuthorList></b> ?>",
        "<!-- <AuthorList></b> -->",
    ],
)
def test_a_list_that_begins_where_no_tags_are_is_none(hidden: str, read_bytes: ReadBytes) -> None:
    """Catches a title cut out between a list that a comment mentions and the end of the real one."""
    content = articles(article(hidden + TITLE + AUTHORS))
    assert read_bytes(content) == read_whole(content, read_bytes)
    assert outcomes(read_bytes(content)) == ["Document"]


def test_an_article_of_any_length_passes() -> None:
    """Catches bytes held without end for an article that does not."""
    body = b"<PubmedArticle>" + b"x" * (3 * MOST_HELD_BYTES)
    pieces = [body[i : i + 65536] for i in range(0, len(body), 65536)]
    first_out = next(iter(without_lists(iter(pieces), CutHeadings())))
    assert len(first_out) < 2 * MOST_HELD_BYTES
    assert cut(body, 65536) == body


def test_bytes_before_a_fault_are_given_out() -> None:
    """Catches deletions or half an article swallowed where a download breaks off."""

    def broken() -> Iterator[bytes]:
        yield b"<PubmedArticle>half"
        raise FileFault(RejectReason.TRUNCATED, "cut")

    found = without_lists(broken(), CutHeadings())
    assert next(found) == b"<PubmedArticle>half"
    with pytest.raises(FileFault, match="cut"):
        next(found)


def test_messages_name_no_place_that_is_not_the_file_s(read_bytes: ReadBytes) -> None:
    """Catches a line or column that counts what was left after cutting, which sends people to the wrong place."""
    content = articles(article(TITLE + AUTHORS, data=REFERENCES) * 3 + "<PubmedArticle><a></b>")
    with_cuts, whole = read_bytes(content), read_whole(content, read_bytes)
    assert outcomes(whole) == ["Document"] * 3 + ["malformed"]
    assert with_cuts == whole
    assert " line " not in whole[-1].message


def test_an_unbalanced_list_is_parsed_whole(read_bytes: ReadBytes) -> None:
    """Catches damage inside a list being cut out with it when its tags do not even add up."""
    lost = AUTHORS.replace("</LastName></Author>", "")
    assert outcomes(read_bytes(articles(article(TITLE), article(TITLE + lost)))) == ["Document", "malformed"]


def test_real_files_read_the_same(shared_folder: Path, read_bytes: ReadBytes) -> None:
    """Catches a real form of a list that takes a neighbour with it."""
    for folder in ("pubmed_set", "pubmed_efetch_single", "pubmed_update_pair", "pubmed_book"):
        for file in sorted((shared_folder / "dumps" / folder).iterdir()):
            content = file.read_bytes()
            content = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
            assert read_bytes(content) == read_whole(content, read_bytes), file.name
