"""Exports of Chinese literature beside the four tagged forms: what each says, and real files of each."""

import json
from pathlib import Path
from typing import Any

import pytest
from dump_samples import ReadBytes, outcomes
from export_samples import (
    ABSTRACTS,
    CITATIONS,
    CITESPACE,
    CSSCI,
    DEFINED_TEXT,
    E_STUDY_XML,
    END_NOTE_XML,
    EXPORT_FORMS,
    NOTE_FIRST,
    TEXT_FORMS,
    TITLES,
    WEB_EXPORT,
)

from bioner_core.documents import Document
from bioner_core.formats.identifiers import record_keys
from bioner_core.formats.reader import read_records, summarise_input

SETTLED = tuple(text.replace("~(2+)", "2+").replace("~+", "+") for text in ABSTRACTS)


def passages(record: Document) -> list[tuple[str, str, str]]:
    """Section, language and text of every passage."""
    return [(p.section, p.lang, p.text) for p in record.passages]


@pytest.mark.parametrize("form", EXPORT_FORMS)
def test_every_form_is_found_by_its_content(form: str, tmp_path: Path) -> None:
    """Catches a form that is taken for another one, or for none, and a count that differs from what is read."""
    path = tmp_path / "export"
    path.write_bytes(EXPORT_FORMS[form])
    records = list(read_records(str(path)))
    summary = summarise_input(str(path))
    assert outcomes(records) == ["Document"] * 3
    assert (summary.format_name, summary.records, summary.source) == (form, 3, records[0].source)


@pytest.mark.parametrize("form", EXPORT_FORMS)
def test_ranges_join_to_the_whole(form: str, read_bytes: ReadBytes) -> None:
    """Catches a record that two ranges share or that falls between them."""
    whole = read_bytes(EXPORT_FORMS[form])
    for cut in range(5):
        assert read_bytes(EXPORT_FORMS[form], last=cut) + read_bytes(EXPORT_FORMS[form], first=cut) == whole


@pytest.mark.parametrize("form", TEXT_FORMS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_encodings_and_line_ends(form: str, encoding: str, read_bytes: ReadBytes) -> None:
    """Catches an encoding, even one that an XML declaration denies, or a line end for which a form reads otherwise."""
    text = EXPORT_FORMS[form].decode()
    expected = [passages(record) for record in read_bytes(text.encode())]
    for ends in (text, text.replace("\r\n", "\n").replace("\n", "\r\n")):
        assert [passages(record) for record in read_bytes(ends.encode(encoding))] == expected


def test_what_two_encodings_fit_is_utf_8(read_bytes: ReadBytes) -> None:
    """Catches mojibake: bytes that are UTF-8 and GB18030 alike, such as those of this title, are UTF-8."""
    title = "摘要"
    assert title.encode().decode("gb18030") != title
    (record,) = read_bytes(f"RT Journal Article\nT1 {title}\n".encode())
    assert passages(record) == [("title", "zh", title)]


def test_cssci(read_bytes: ReadBytes) -> None:
    """Catches the database's heading read as a record, references read as text, and keywords that stay in one piece."""
    first = read_bytes(CSSCI.encode())[0]
    assert passages(first) == [
        ("title", "zh", TITLES[0]),
        ("title", "en", "A study of patients 0"),
        ("keywords", "zh", "甲; 乙"),
    ]
    assert (first.lang, first.source, first.meta.journal, first.meta.year) == ("zh", "cssci", "某某杂志", "2019")
    assert first.meta.keywords == ("甲", "乙")


def test_citespace(read_bytes: ReadBytes) -> None:
    """Catches an indented line that begins like a tag read as one, and Web of Science's exports filed under CNKI."""
    first = read_bytes(CITESPACE.encode())[0]
    assert passages(first) == [
        ("title", "zh", TITLES[0]),
        ("abstract", "zh", SETTLED[0]),
        ("keywords", "zh", "维生素D; 糖尿病"),
    ]
    assert (first.meta.journal, first.meta.year) == ("某某杂志", "2021")
    assert outcomes(read_bytes(CITESPACE.replace("CNKI:0", "WOS:1").encode())) == ["unknown_format"]


def test_citations(read_bytes: ReadBytes) -> None:
    """Catches authors read as part of a title, a point of a number that parts them, and a lost abstract."""
    first = read_bytes(CITATIONS.encode())[0]
    assert passages(first) == [("title", "zh", TITLES[0]), ("abstract", "zh", SETTLED[0])]
    assert (first.meta.journal, first.meta.year) == ("某某杂志", "2020")
    lines = "[1]3.0T磁共振的应用[D].某大学,2010.\n[2]甲.5.0版指南[S].某社,2011.DOI:10.1234/a.b.\n[3]没有类型"
    records = read_bytes(lines.encode())
    assert [passages(one)[0][2] for one in records] == ["3.0T磁共振的应用", "5.0版指南"]
    assert records[1].meta.year == "2011"


def test_defined_text(read_bytes: ReadBytes) -> None:
    """Catches 自定义 text whose user left the database out, and keys that mean other things than in E-Study."""
    first = read_bytes(DEFINED_TEXT.encode())[0]
    assert passages(first) == [
        ("title", "zh", TITLES[0]),
        ("abstract", "zh", SETTLED[0]),
        ("keywords", "zh", "维生素D; 糖尿病"),
    ]
    assert (first.meta.journal, first.meta.year) == ("某某杂志", "")
    shorter = DEFINED_TEXT.replace("SrcDatabase-来源库:期刊\n", "")
    assert [passages(one) for one in read_bytes(shorter.encode())] == [
        passages(one) for one in read_bytes(DEFINED_TEXT.encode())
    ]


def test_endnote_xml(read_bytes: ReadBytes) -> None:
    """Catches texts that `<style>` runs cut up, blanks of the layout inside a word, and CNKI's codes left in."""
    first = read_bytes(END_NOTE_XML.encode())[0]
    assert passages(first) == [
        ("title", "zh", TITLES[0]),
        ("abstract", "zh", SETTLED[0]),
        ("keywords", "zh", "甲; 乙"),
    ]
    assert (first.source, first.meta.journal, first.meta.year) == ("cnki", "某某杂志", "2013")
    runs = "<title>\n <style>CD4</style>\n <style face='superscript'>+</style>\n</title>"
    plain = "<title><style>CD4</style> <style>T</style></title>"
    body = "".join(f"<record><titles>{title}</titles></record>" for title in (runs, plain))
    records = read_bytes(f"<xml><records>{body}</records></xml>".encode())
    assert [record.passages[0].text for record in records] == ["CD4+", "CD4 T"]
    assert records[0].source == "endnote"


def test_estudy_xml_with_its_stray_document_type(read_bytes: ReadBytes) -> None:
    """Catches the known defect of these files ending in an exception, or costing the records before it."""
    records = read_bytes(E_STUDY_XML.encode())
    assert [passages(record)[0][2] for record in records] == list(TITLES)
    assert (records[0].meta.journal, records[0].meta.year) == ("某某杂志", "2020")


def test_notefirst(read_bytes: ReadBytes) -> None:
    """Catches English titles and keywords mixed into the Chinese ones, or lost."""
    first = read_bytes(NOTE_FIRST.encode())[0]
    assert passages(first) == [
        ("title", "zh", TITLES[0]),
        ("title", "en", "On patients"),
        ("abstract", "zh", SETTLED[0]),
        ("keywords", "zh", "维生素D; 糖尿病"),
        ("keywords", "en", "pain; IL-6"),
    ]


def test_web_export(read_bytes: ReadBytes) -> None:
    """Catches texts of the service that are passed over, and one article in three formats that gets three keys."""
    records = read_bytes(WEB_EXPORT.encode())
    assert {passages(record)[0] for record in records} == {("title", "zh", TITLES[0])}
    assert len({record_keys(record)[0] for record in records}) == 1
    answer = json.loads(WEB_EXPORT)
    answer["data"] += [
        {"key": "BibTeX", "value": ["@article{a}"]},
        {"key": "x", "value": ["%0 A\ud800"]},
        {"key": "y"},
        7,
    ]
    found = outcomes(read_bytes(json.dumps(answer).encode()))
    assert found == ["Document"] * 3 + ["malformed", "bad_characters", "malformed", "malformed"]
    assert outcomes(read_bytes(b'{"code": 1, "data": [{"key": "x"', format_name="cnki_web_export")) == ["malformed"]
    assert outcomes(read_bytes(b'{"code": 1, "data": {}}', format_name="cnki_web_export")) == ["malformed"]


@pytest.mark.parametrize("form", ["cnki_endnote_xml", "endnote_xml", "cnki_estudy_xml", "cnki_notefirst"])
def test_hostile_xml_exports(form: str, read_bytes: ReadBytes) -> None:
    """Catches entities that are declared anywhere, expanded or passed over, and nested records that are read twice."""
    text = EXPORT_FORMS[form].decode()
    root = text.index("<", text.index("?>"))
    bomb = '<!DOCTYPE xml [<!ENTITY a "aaaa">]>'
    assert outcomes(read_bytes((text[:root] + bomb + text[root:]).encode(), format_name=form)) == ["forbidden_markup"]
    undeclared = text.replace(TITLES[1], "&unheardof;")
    assert outcomes(read_bytes(undeclared.encode())) == ["Document", "malformed", "Document"]
    with_type = undeclared[:root] + '<!DOCTYPE xml SYSTEM "export.dtd">' + undeclared[root:]
    assert outcomes(read_bytes(with_type.encode())) == ["Document", "malformed", "Document"]
    end = text.rindex("</")
    assert outcomes(read_bytes(text[:end].encode())) == ["Document"] * 3 + ["truncated"]


def test_translations_of_an_export_are_passages(read_bytes: ReadBytes) -> None:
    """Catches an English abstract that is mixed into the Chinese one, and a document whose language it changes."""
    text = (
        "{Reference Type}: Journal Article\n{Title}: 题名\n{Translated Title}: On the treatment of asthma in children\n"
        "{Abstract}: 目的。\n{Translated Abstract}: Objective: to see.\n"
        "{Keywords}: 哮喘\n{Translated Keywords}: asthma\n"
    )
    (record,) = read_bytes(text.encode())
    assert [(p.section, p.lang) for p in record.passages] == [
        (section, lang) for section in ("title", "abstract", "keywords") for lang in ("zh", "en")
    ]
    assert record.lang == "zh"


@pytest.mark.parametrize(
    ("folder", "form", "records"),
    [
        ("cnki_endnote_xml", "cnki_endnote_xml", 4),
        ("endnote_xml_generic", "endnote_xml", 9),
        ("cnki_api_export", "cnki_web_export", 3),
        ("cnki_other", "cnki_refworks", 2),
        ("cnki_citespace_wos", "cnki_citespace", 153),
        ("cnki_xlsx", "xlsx", 108),
        ("cssci_txt", "cssci", 48),
    ],
)
def test_real_exports(folder: str, form: str, records: int, shared_folder: Path) -> None:
    """Catches a record of a real export that is lost, doubled or turned down, or that has no title of its own."""
    found: list[Any] = []
    for path in sorted((shared_folder / "dumps" / folder).iterdir()):
        assert summarise_input(str(path)).format_name == form
        found += read_records(str(path))
    assert outcomes(found) == ["Document"] * records
    assert all(document.passages[0].section == "title" for document in found)
    assert all(p.text == p.text.strip() != "" and "正>" not in p.text for one in found for p in one.passages)


def test_real_tables_of_csl(shared_folder: Path) -> None:
    """Catches a benchmark table, or its join as JSON lines, that is read in part."""
    paths = sorted((shared_folder / "dumps" / "csl_tsv").iterdir())
    counts = {path.suffix: 0 for path in paths}
    for path in paths:
        records = list(read_records(str(path)))
        assert set(outcomes(records)) == {"Document"}
        counts[path.suffix] += len(records)
    assert counts == {".tsv": 3000, ".jsonl": 103}
