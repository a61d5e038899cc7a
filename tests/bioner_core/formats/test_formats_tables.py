"""Spreadsheets, HTML tables and delimited text: cells, columns, and what a hostile file gets."""

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from dump_samples import ReadBytes, outcomes
from export_samples import COLUMNS, CSV, HTML, ROWS, TITLES, XLSX, sheet_rows, workbook

from bioner_core.documents import Document
from bioner_core.formats import spreadsheet, table_columns

EXPECTED_SECTIONS = ["title", "abstract", "keywords"]


@pytest.mark.parametrize(
    "form",
    [CSV.encode(), CSV.replace('","', '"\t"').encode(), HTML.encode(), XLSX],
    ids=["commas", "tabs", "html", "xlsx"],  # a workbook holds the time, and every worker must collect the same names
)
def test_the_same_records_in_every_kind_of_table(form: bytes, read_bytes: ReadBytes) -> None:
    """Catches a kind of table that reads otherwise than the others, or a column under the wrong name."""
    records = read_bytes(form)
    assert [one.passages[0].text for one in records] == list(TITLES)
    for one in records:
        assert [passage.section for passage in one.passages] == EXPECTED_SECTIONS
        assert (one.meta.journal, one.meta.year, one.lang) == ("某某杂志", "2022", "zh")
    assert records[0].meta.removed_codes[0].code == "~"


def test_cells_of_every_kind(read_bytes: ReadBytes) -> None:
    """Catches shared and formatted texts, numbers, gaps between cells, escapes, and readings printed as text."""
    shared = ["<t>题名</t>", "<t>年</t>", "<r><t>血清</t></r><r><t>CD4</t></r><rPh><t>xueqing</t></rPh>"]
    rows = (
        '<row><c r="B1" t="s"><v>0</v></c><c r="D1" t="s"><v>1</v></c></row>'
        '<row><c r="B2" t="s"><v>2</v></c><c r="D2"><v>2021</v></c></row>'
        '<row><c r="B3" t="str"><f>A1</f><v>甲_x000D_乙</v></c><c r="D3" t="e"><v>#REF!</v></c></row>'
        '<row><c r="B4" t="s"><v>99</v></c><c r="XFD4" t="s"><v>-1</v></c></row><row/>'
    )
    first, second = read_bytes(workbook({"sheet1": rows}, shared=shared))
    assert (first.passages[0].text, first.meta.year) == ("血清CD4", "2021")
    assert (second.passages[0].text, second.meta.year) == ("甲\r乙", "")


def test_every_sheet_is_read_in_order(read_bytes: ReadBytes) -> None:
    """Catches sheets after the first one lost, sheet 10 before sheet 2, and a table under a heading of its own."""
    sheets = {
        f"sheet{number}": sheet_rows([["某馆文献导出"], ["Title", "摘要"], [f"题名{number}", "摘要"]])
        for number in (10, 2, 1)
    }
    records = read_bytes(workbook({**sheets, "sheet3": "", "sheet4": sheet_rows([["备注"], ["甲"]])}))
    assert outcomes(records) == ["Document", "Document", "malformed", "Document"]
    assert [one.passages[0].text for one in records if isinstance(one, Document)] == ["题名1", "题名2", "题名10"]
    assert "sheet4" in records[2].message


def openpyxl_rows(content: bytes) -> list[list[str]]:
    """The filled cells of every row of the first sheet, as a public reader finds them."""
    sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True).worksheets[0]
    rows: Any = sheet.iter_rows(values_only=True)
    return [[str(cell).strip() for cell in row if cell is not None and str(cell).strip()] for row in rows]


def our_rows(content: bytes) -> list[list[str]]:
    """The same, as our reader finds them."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        texts = spreadsheet._shared_texts(archive)
        (sheet, *_) = spreadsheet._sheets(archive)
        return [list(row.values()) for row in spreadsheet._rows(archive, sheet, texts)]


def test_cells_are_those_that_a_public_reader_finds(shared_folder: Path) -> None:
    """Catches a cell of a real spreadsheet, or of one that openpyxl wrote, that is lost, moved or changed."""
    (real,) = (shared_folder / "dumps" / "cnki_xlsx").iterdir()
    assert our_rows(real.read_bytes()) == openpyxl_rows(real.read_bytes())
    book = openpyxl.Workbook()
    for row in [*ROWS, ("期刊", None, None, "a < b & 'c'", 5, 2.5, " 两端 ")]:
        book.active.append(row)
    written = io.BytesIO()
    book.save(written)
    assert our_rows(written.getvalue()) == openpyxl_rows(written.getvalue())


@pytest.mark.parametrize(
    ("cell", "year"),
    [
        ("<v>43831</v>", "2020"),
        ("<v>43830.99</v>", "2019"),
        ("<v>20231</v>", ""),  # as people write the first issue of 2023
        ("<v>438310</v>", ""),
        ("<v>2021</v>", "2021"),
        ("<v>2021-05-06</v>", "2021"),
    ],
)
def test_a_date_of_a_spreadsheet_is_a_number_of_days(cell: str, year: str, read_bytes: ReadBytes) -> None:
    """Catches records without a year, since a cell of a date holds the days since 1899."""
    header = '<row><c r="A1" t="str"><v>题名</v></c><c r="B1" t="str"><v>发表时间</v></c></row>'
    rows = f'{header}<row><c r="A2" t="str"><v>甲</v></c><c r="B2" s="1">{cell}</c></row>'
    [record] = read_bytes(workbook({"sheet1": rows}))
    assert record.meta.year == year


def test_a_workbook_may_count_from_1904(read_bytes: ReadBytes) -> None:
    """Catches dates of old Macintosh workbooks that come out four years too early."""
    rows = sheet_rows([["题名", "年"], ["甲", "43831"]])
    properties = b'<workbook><workbookPr date1904="1"/></workbook>'
    packed = io.BytesIO(workbook({"sheet1": rows}))
    rebuilt = io.BytesIO()
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(rebuilt, "w") as new:
        for name in old.namelist():
            new.writestr(name, properties if name == "xl/workbook.xml" else old.read(name))
    [record] = read_bytes(rebuilt.getvalue())
    assert record.meta.year == "2024"


def html_records(rows: str, read_bytes: ReadBytes) -> list[tuple[list[str], tuple[str, ...]]]:
    """Texts of title and abstract, and keywords, of the records of a page."""
    header = "<tr><td>Title-题名</td><td>Author-作者</td><td>Summary-摘要</td><td>Keyword-关键词</td></tr>"
    found = read_bytes(f"<html><table>{header}{rows}</table></html>".encode())
    return [
        ([part.text for part in one.passages if part.section != "keywords"], one.meta.keywords)
        for one in found
        if isinstance(one, Document)
    ]


def test_a_cell_that_spans_columns_or_rows_takes_their_places(read_bytes: ReadBytes) -> None:
    """Catches an abstract that is lost, or keywords that become one, behind a cell over two columns or rows."""
    rows = (
        "<tr><td colspan='2'>甲</td><td>目的。</td><td>a;b</td></tr>"
        "<tr><td>乙</td><td rowspan=3>某</td><td>方法。</td><td>c</td></tr>"
        "<tr><td>丙</td><td rowspan=2>结果。</td><td>d</td></tr>"
        "<tr><td>丁</td><td>e</td></tr>"
        "<tr><td colspan='x'>戊</td><td rowspan=9></td><td>结论。</td></tr></table>"
        "<table><tr><td>己</td><td>某</td><td>讨论。</td></tr>"
    )
    assert html_records(rows, read_bytes) == [
        (["甲", "目的。"], ("a", "b")),
        (["乙", "方法。"], ("c",)),
        (["丙", "结果。"], ("d",)),
        (["丁"], ("e",)),
        (["戊", "结论。"], ()),
        (["己", "讨论。"], ()),
    ]


def test_lines_and_blocks_of_a_cell_are_lines_of_its_text(read_bytes: ReadBytes) -> None:
    """Catches words that are glued where a page breaks the line, and sentences parted by inline markup."""
    cell = (
        "Aim: to <i>t</i>est.<br>\n Methods: we did.<br/><br/>Results<p>one <?x y?>two</p><div>three<ul><li>four</li>"
        "<li>five</li></ul></div> tail"
    )
    rows = f"<tr><td>T</td><td></td><td>{cell}</td><td>a<br>b</td></tr>"
    text = "Aim: to test.\nMethods: we did.\nResults\none two\nthree\nfour\nfive\ntail"
    assert html_records(rows, read_bytes) == [(["T", text], ("a", "b"))]


def test_spans_of_many_rows_cost_no_time(read_bytes: ReadBytes) -> None:
    """Catches work that grows with the columns that cells of earlier rows take (here that would take minutes)."""
    wide = "<td rowspan=65534 colspan=1000>x</td>" * 2_000
    rows = f"<tr>{wide}</tr>" + "<tr><td>y</td></tr>" * 2_000
    assert len(html_records(f"<tr><td>甲</td></tr>{rows}", read_bytes)) == 2


def test_a_row_without_text_is_a_reject_of_its_own(read_bytes: ReadBytes) -> None:
    """Catches a record whose title cell is empty dropped in silence; a row without any cell is none."""
    rows = [*ROWS[:2], ["期刊", "", "某医院"], [""] * 7, ROWS[2]]
    assert outcomes(read_bytes(workbook({"sheet1": sheet_rows(rows)}))) == ["Document", "no_text", "Document"]


def test_quotes_that_do_not_pair_end_the_table_loudly(read_bytes: ReadBytes) -> None:
    """Catches rows swallowed by one open quote without a trace."""
    cut = CSV.replace(f'"{TITLES[1]}"', f'"{TITLES[1]}')
    assert outcomes(read_bytes(cut.encode()))[:2] == ["Document", "malformed"]


def test_an_open_last_row_of_a_page_is_read(read_bytes: ReadBytes) -> None:
    """Catches the last record of a page that does not close its tags, as pages often do not."""
    assert outcomes(read_bytes(HTML[: HTML.rindex("</td>")].encode())) == ["Document"] * 3
    nested = HTML.replace("<table", "<table><tr><td>菜单</td><td><table", 1) + "</td></tr></table>"
    assert outcomes(read_bytes(nested.encode())) == ["Document"] * 3


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf", b"\0", b"<table>", b"<tr><td>"])
def test_a_page_without_a_table_is_turned_down(content: bytes, read_bytes: ReadBytes) -> None:
    """Catches a page on which the HTML parser gives up with an exception of its own; the fuzz run found the first."""
    assert set(outcomes(read_bytes(content, format_name="cnki_html_table"))) <= {"malformed"}


def test_zip_bombs(monkeypatch: pytest.MonkeyPatch, read_bytes: ReadBytes) -> None:
    """Catches a spreadsheet that is unpacked, or held, without end."""
    bomb = workbook({"sheet1": sheet_rows(ROWS)}, extra={"xl/media/x": b"\0" * 3_000_000})
    assert outcomes(read_bytes(bomb)) == ["Document"] * 3
    monkeypatch.setattr(spreadsheet, "MAX_UNPACKED_BYTES", 2_000_000)
    assert outcomes(read_bytes(bomb)) == ["too_large"]
    assert outcomes(read_bytes(gzip.compress(bomb))) == ["too_large"]
    monkeypatch.setattr(spreadsheet, "MAX_SHARED_CHARACTERS", 50)
    assert outcomes(read_bytes(workbook({"sheet1": ""}, shared=["<t>甲乙丙丁</t>"] * 20))) == ["too_large"]
    monkeypatch.setattr(spreadsheet, "MAX_SPREADSHEET_BYTES", 1000)
    assert outcomes(read_bytes(XLSX)) == ["too_large"]


def test_a_row_past_its_cap(monkeypatch: pytest.MonkeyPatch, read_bytes: ReadBytes) -> None:
    """Catches a long row that costs the rows after it."""
    monkeypatch.setattr(table_columns, "MAX_RECORD_BYTES", 200)
    rows = [COLUMNS, ["", "甲" * 300], ["", "乙"]]
    assert outcomes(read_bytes(workbook({"sheet1": sheet_rows(rows)}))) == ["too_large", "Document"]


def test_a_part_that_says_less_than_it_holds(read_bytes: ReadBytes) -> None:
    """Catches a directory that lies about sizes, by which a bomb would slip past the cap."""
    lying = bytearray(XLSX)
    with zipfile.ZipFile(io.BytesIO(XLSX)) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    at = lying.rindex(size.to_bytes(4, "little"))
    lying[at : at + 4] = (size // 2).to_bytes(4, "little")
    records = read_bytes(bytes(lying))
    assert outcomes(records)[-1] == "malformed"


@pytest.mark.parametrize(
    "rows",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]>',
        "<row><c><v>" + "1" * 11_000_000 + "</v></c></row>",
        "<row><c r='A1' t='s'><v>x</v></c>",
        "<row>&undeclared;</row>",
    ],
)
def test_broken_sheets(rows: str, read_bytes: ReadBytes) -> None:
    """Catches damage inside a part that escapes as an exception of the archive's or the parser's."""
    assert outcomes(read_bytes(workbook({"sheet1": rows})))[0] in (
        "malformed",
        "truncated",
        "too_large",
        "forbidden_markup",
    )


def test_entities_in_a_part(read_bytes: ReadBytes) -> None:
    """Catches a bomb of entities before a part's root, where a parser that builds trees would expand it."""
    bomb = b'<!DOCTYPE sst [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><sst><si><t>&b;</t></si></sst>'
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("[Content_Types].xml", "")
        archive.writestr("xl/sharedStrings.xml", bomb)
    assert outcomes(read_bytes(packed.getvalue())) == ["forbidden_markup"]


def test_other_archives_are_no_spreadsheets(read_bytes: ReadBytes) -> None:
    """Catches any ZIP archive taken for a spreadsheet, and one packed in a way that no spreadsheet is."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.txt", "text")
    assert outcomes(read_bytes(packed.getvalue())) == ["unknown_format"]
    assert outcomes(read_bytes(packed.getvalue(), format_name="xlsx")) == ["malformed"]
