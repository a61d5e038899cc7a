"""A list of PMIDs against files at hand."""

import gzip
from pathlib import Path

import pytest

from bioner_core.documents import Document
from bioner_core.errors import InputError
from bioner_core.formats.pubmed_selection import listed_pmids, selected_records
from bioner_core.formats.reader import read_records

RECORD = """<PubmedArticle><MedlineCitation><PMID Version="1">{pmid}</PMID><Article><ArticleTitle>Of <i>{pmid}</i>&nbsp;
</ArticleTitle></Article><CommentsCorrectionsList><CommentsCorrections><PMID>7</PMID></CommentsCorrections>
</CommentsCorrectionsList></MedlineCitation></PubmedArticle>"""
DOCTYPE = '<!DOCTYPE PubmedArticleSet SYSTEM "pubmed.dtd">'


def write_set(path: Path, *pmids: int) -> str:
    """A file of some records."""
    records = "".join(RECORD.format(pmid=pmid) for pmid in pmids)
    path.write_bytes(gzip.compress(f"{DOCTYPE}<PubmedArticleSet>{records}</PubmedArticleSet>".encode()))
    return str(path)


def test_selected_records_are_read_as_before(tmp_path: Path) -> None:
    """Would catch a record that is taken for one that it cites, and one that is another when it is written again."""
    files = [write_set(tmp_path / "a.xml.gz", 5, 6), write_set(tmp_path / "b.xml.gz", 8, 9)]
    found = list(selected_records(files, frozenset({"6", "7", "8"})))
    assert [pmid for pmid, _ in found] == ["6", "8"]
    again = tmp_path / "again.xml"
    again.write_bytes(b"<PubmedArticleSet>" + b"".join(xml for _, xml in found) + b"</PubmedArticleSet>")
    before = [one for file in files for one in read_records(file) if isinstance(one, Document)]
    after = [one for one in read_records(str(again)) if isinstance(one, Document)]
    assert [(one.doc_id, one.passages) for one in after] == [(one.doc_id, one.passages) for one in before[1:3]]


def test_lists_as_people_write_them(tmp_path: Path) -> None:
    """Would catch a list of which half is passed over without a word."""
    path = tmp_path / "list.txt"
    path.write_text("\ufeff6\nPMID: 7, pubmed:8;0009\n", encoding="utf-8")
    assert listed_pmids(path) == {"6", "7", "8", "9"}
    for words in ("6\nPMC7\n", ""):
        path.write_text(words, encoding="utf-8")
        with pytest.raises(InputError, match="no PMID"):
            listed_pmids(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    """Would catch a file of another format, or a cut one, in which nothing was found and nobody heard of it."""
    path = tmp_path / "in.nbib"
    path.write_text("PMID- 6\nTI  - A title\n", encoding="utf-8")
    with pytest.raises(InputError, match="PubMed XML"):
        list(selected_records([str(path)], frozenset({"6"})))
    path.write_text("<PubmedArticleSet>" + RECORD.format(pmid=6).replace("&nbsp;", ""), encoding="utf-8")
    with pytest.raises(InputError, match="early"):
        list(selected_records([str(path)], frozenset({"6"})))
