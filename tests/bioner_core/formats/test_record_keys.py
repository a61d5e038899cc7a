"""Keys of records across exports."""

from dataclasses import replace
from pathlib import Path

import pytest
from dump_samples import ReadBytes
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.documents import Document, DocumentMeta, Passage
from bioner_core.formats.identifiers import record_keys
from bioner_core.formats.reader import read_records

TITLE = Passage("title", "", "zh", "维生素Ｄ与2型糖尿病(一)")
ABSTRACT = Passage("abstract", "", "zh", "目的:观察疗效。")
NAMED = (("cnki", "ABCD202101034"), ("doi", "10.1234/X.5"))


def record(
    *, ids: tuple[tuple[str, str], ...] = (), passages: tuple[Passage, ...] = (TITLE, ABSTRACT), source: str = "cnki"
) -> Document:
    """A record of an export of 2020."""
    return Document("cnki:1", source, 1, "zh", passages, DocumentMeta(ids=ids, journal="某某杂志", year="2020"))


def test_the_strongest_key_counts() -> None:
    """Catches an order of keys other than file name, DOI, title with source and year."""
    assert record_keys(record(ids=NAMED))[:2] == ("cnki:file:abcd202101034", "cnki:doi:10.1234/x.5")
    assert record_keys(record(ids=NAMED[1:]))[0] == "cnki:doi:10.1234/x.5"
    assert record_keys(record())[0].startswith("cnki:called:")
    assert [record_keys(record(ids=NAMED[i:]))[0] for i in range(3)] == list(record_keys(record(ids=NAMED)))


@pytest.mark.parametrize(
    "title", ["维生素D与2型糖尿病（一）", "  维生素d 与 2 型糖尿病（一）", "维生素_D与~2型糖尿病(一)."]
)
def test_spelling_of_a_title_plays_no_part(title: str) -> None:
    """Catches copies kept twice because an export writes width, case, blanks, marks or typography codes otherwise."""
    again = record(passages=(replace(TITLE, text=title), replace(TITLE, lang="en", text="Vitamin D")))
    assert record_keys(again)[0] == record_keys(record())[0]


def test_the_title_counts_wherever_it_stands() -> None:
    """Catches a key made of whatever passage comes first; an abstract counts only where there is no title."""
    assert record_keys(record(passages=(ABSTRACT, TITLE)))[0] == record_keys(record())[0]
    assert record_keys(record(passages=(ABSTRACT,)))[0] != record_keys(record())[0]


def test_other_articles_have_other_keys() -> None:
    """Catches articles of another title, year, journal or source that pass for copies."""
    first = record()
    others = [
        record(passages=(replace(TITLE, text="维生素D与1型糖尿病(一)"),)),
        replace(first, meta=replace(first.meta, year="2021")),
        replace(first, meta=replace(first.meta, journal="某某学报")),
        record(source="wanfang"),
    ]
    assert len({record_keys(one)[0] for one in (first, *others)}) == 5


@given(st.text(), st.text(), st.text(), st.lists(st.text(), max_size=2))
def test_any_document_has_a_key(identifier: str, journal: str, year: str, texts: list[str]) -> None:
    """Catches a record that no key can be made for: every one must be found again."""
    passages = tuple(Passage("abstract", "", "zh", text) for text in texts)
    meta = DocumentMeta((("cnki", identifier),), journal, year)
    document = Document("cnki:1", "cnki", 1, "zh", passages, meta)
    assert record_keys(document)[0] == record_keys(replace(document, doc_id="cnki:2", version=2))[0]
    assert all(record_keys(document))


def test_a_new_database_name_in_the_link_changes_nothing(read_bytes: ReadBytes) -> None:
    """Catches an article kept twice when CNKI moves it from its database of new articles to that of a year."""
    export = "DataType: 1\nTitle-题名: 甲\nLink-链接: https://kns.cnki.net/detail.aspx?FileName=AB20&DbName={}\n"
    keys = {record_keys(read_bytes(export.format(name).encode())[0])[0] for name in ("CJFQTEMP", "CJFQ2021")}
    assert keys == {"cnki:file:ab20"}


def test_real_copies_in_two_encodings(shared_folder: Path) -> None:
    """Catches keys that depend on an export's encoding: the same real records in UTF-8 and GB18030, both orders."""
    dumps = shared_folder / "dumps"
    pairs = [
        ("cnki_refworks/translatorsCN__refworks_multi_a.txt", "derived_encodings/refworks_multi_a.gb18030.txt"),
        ("cnki_estudy_txt/mrhelper__demo_cnki_202101_a.txt", "derived_encodings/demo_cnki_a.utf8bom.crlf.txt"),
    ]
    for first, second in pairs:
        keys = [
            [record_keys(one)[0] for one in read_records(str(dumps / name)) if isinstance(one, Document)]
            for name in (first, second)
        ]
        assert keys[0] == keys[1] != []
