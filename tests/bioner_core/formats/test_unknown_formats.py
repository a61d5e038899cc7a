"""What a file is called that no reader takes, and RIS, which many of them can be had in."""

import pytest
from dump_samples import ReadBytes, outcomes
from western_samples import jats_article

RIS = (
    "TY  - JOUR\r\nTI  - Zinc and the common cold\r\nT2  - J Inv\r\nAU  - Doe, J.\r\nAB  - Zinc was given\r\n"
    "for a week.\r\nKW  - zinc\r\nKW  - cold\r\nPY  - 2018/03/01\r\nDO  - https://doi.org/10.1234/Zn\r\n"
    "LA  - English\r\nER  - \r\n\r\n"
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"error": "too many requests", "count": "9"}', "error reply"),
        ("<?xml version='1.0'?>\n<eFetchResult><ERROR>no ids</ERROR></eFetchResult>", "error reply"),
        ('<article xmlns="http://www.elsevier.com/xml/ja/dtd"><item-info/></article>', "publisher's own XML"),
        ("<article><article-metadata/></article>", "publisher's own XML"),
        ("<Publisher><PublisherInfo/></Publisher>", "publisher's own XML"),
        ("<!DOCTYPE html><html><body>Sign in</body></html>", "web page"),
        ("@article{doe, title = {Zinc}}", "BibTeX"),
        ("%PDF-1.7", "PDF"),
        ("【题　　名】肝与肾\n【作　　者】某某\n", "SinoMed or VIP"),
        ("1. 流水号：2020123456\n标题：肝与肾\n", "SinoMed or VIP"),
        ("<Records><Record><Titles><Title><Text>肝</Text></Title></Titles><Periodical/></Record></Records>", "VIP's"),
        ("nothing in particular", "no format"),
    ],
)
def test_a_stranger_is_called_what_it_is(content: str, words: str, read_bytes: ReadBytes) -> None:
    """Catches a message that leaves its reader without a word on what the file is and what is read."""
    records = read_bytes(content.encode())
    assert outcomes(records) == ["unknown_format"]
    assert words in records[0].message
    assert "pubmed, jats" in records[0].message


def test_jats_that_names_a_publisher_is_jats(read_bytes: ReadBytes) -> None:
    """Catches an article of PubMed Central turned down for the name of its publisher."""
    content = jats_article().replace(
        "</journal-meta>", "<publisher><publisher-name>Springer</publisher-name></publisher></journal-meta>"
    )
    assert outcomes(read_bytes(content.encode())) == ["Document"]


def test_ris(read_bytes: ReadBytes) -> None:
    """Catches fields of RIS lost, wrapped lines cut off, and a record without `ER` that swallows the next."""
    records = read_bytes((RIS + RIS.replace("ER  - ", "").replace("10.1234/Zn", "10.1234/Cu") + RIS).encode())
    assert [one.doc_id for one in records] == ["ris:doi:10.1234/zn", "ris:doi:10.1234/cu", "ris:doi:10.1234/zn"]
    found = records[0]
    assert [(p.section, p.text) for p in found.passages] == [
        ("title", "Zinc and the common cold"),
        ("abstract", "Zinc was given for a week."),
        ("keywords", "zinc; cold"),
    ]
    assert (found.meta.journal, found.meta.year) == ("J Inv", "2018")
