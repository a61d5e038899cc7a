"""HTML tables of records: what CNKI sends under the name `.xls`.

A cell that spans columns or rows takes their places, as a browser has it; its text stands in the first of them. Line
breaks and blocks in a cell end a line of its text.
"""

import re
from collections.abc import Iterable, Iterator
from typing import cast

from lxml import etree

from bioner_core.formats.contract import MAX_RECORD_BYTES, ByteSource, FileFault, PendingRecord, Reader, RecordFault
from bioner_core.formats.encoding import DecodedText, decode_head, decoded_text
from bioner_core.formats.table_columns import Row, UnreadableRow, table_records
from bioner_core.formats.xml_stream import release
from bioner_core.formats.xml_text import Element, text_of
from bioner_core.records import RejectReason

MAX_COLSPAN, MAX_ROWSPAN = 1_000, 65_534
"""The most columns and rows that a cell may take, as browsers have it."""

_FOLLOWED_COLUMNS = 100
"""Columns in which spans of rows are followed: with more, each of a million short rows would look at thousands."""

_BLOCKS = frozenset(
    {"p", "div", "li", "ul", "ol", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "hr"}
)
_LINE_END = "\0"
"""Stands where markup ends a line: no character of HTML."""

_ROW = re.compile(r"<tr\b", re.IGNORECASE)
_TABLE = re.compile(r"<table\b", re.IGNORECASE)
_COLUMN_NAME = re.compile(r">\s*(?:SrcDatabase-来源库|Title-题名|【来源篇名】|题名|篇名)\s*<")


class HtmlTableReader(Reader):
    """One row per record: `<tr>` with `<td>` or `<th>`; the rest of the page, or a row that holds a table, is none."""

    name = "cnki_html_table"
    source = "cnki"

    def recognises(self, head: bytes) -> bool:
        """Whether a table begins, and a cell holds the name of a column of titles."""
        text = decode_head(head)
        return _TABLE.search(text) is not None and _COLUMN_NAME.search(text) is not None

    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        """Walk the rows in file order."""
        with decoded_text(stream) as text:
            yield from table_records(_rows(text), table="the table")


def _new_parser() -> etree.HTMLPullParser:
    return etree.HTMLPullParser(
        events=("end",), tag="tr", encoding="utf-8", no_network=True, huge_tree=False, remove_comments=True
    )


def _rows(text: DecodedText) -> Iterator[Row]:
    """The rows, each valid when it is given; the page around them is dropped as it goes by."""
    try:
        yield from _fed(text)
    except etree.XMLSyntaxError as error:
        raise FileFault(RejectReason.MALFORMED, f"no HTML that can be read: {error}") from None


def _fed(text: DecodedText) -> Iterator[Row]:
    parser, unfinished, gave_up, grid = _new_parser(), 0, False, _Grid()
    for piece in _pieces(text.lines):
        if gave_up:
            if not _ROW.match(piece):
                continue
            parser, gave_up = _new_parser(), False
            parser.feed(b"<table>")
        parser.feed(piece.encode())
        unfinished += len(piece)
        for row in _finished(parser, grid):
            unfinished = 0
            yield row
        # A parser that has given up is silent, and gives no row of whatever comes after.
        if unfinished and _has_given_up(parser):
            gave_up, unfinished = True, 0
            yield UnreadableRow(RecordFault(RejectReason.TOO_LARGE, "elements are nested too deep in a row"))
        if unfinished > MAX_RECORD_BYTES:
            raise FileFault(RejectReason.TOO_LARGE, f"a row takes more than {MAX_RECORD_BYTES} characters")
    if text.fault is not None:
        raise text.fault
    # A page may leave its last row open.
    parser.close()
    yield from _finished(parser, grid)


def _pieces(lines: Iterable[str]) -> Iterator[str]:
    """The text, cut where a row begins and where a line ends."""
    for line in lines:
        places = [match.start() for match in _ROW.finditer(line)]
        for first, last in zip([0, *places], [*places, len(line)], strict=True):
            if first < last:
                yield line[first:last]


def _has_given_up(parser: etree.HTMLPullParser) -> bool:
    found = parser.feed_error_log.last_error
    return found is not None and found.level == etree.ErrorLevels.FATAL


def _finished(parser: etree.HTMLPullParser, grid: "_Grid") -> Iterator[Row]:
    for _, event in parser.read_events():
        element = cast(Element, event)
        yield grid.row(element)
        release(element)


class _Grid:
    """Which columns of the rows to come are taken by cells of rows before; a group of rows begins anew."""

    def __init__(self) -> None:
        self._group: Element | None = None
        self._rows_left: dict[int, int] = {}

    def row(self, element: Element) -> Row:
        """The cells of the next row that have text, by column."""
        if (group := element.getparent()) is not self._group:
            self._group, self._rows_left = group, {}
        taken = self._rows_left
        self._rows_left = {column: rows - 1 for column, rows in taken.items() if rows > 1}
        if next(element.iterdescendants("table"), None) is not None:
            return {}
        cells: dict[int, str] = {}
        column = 0
        for cell in element.iterchildren("td", "th"):
            while column in taken:
                column += 1
            if text := _cell_text(cell):
                cells[column] = text
            end, rows = column + _span(cell, "colspan", MAX_COLSPAN), _span(cell, "rowspan", MAX_ROWSPAN)
            if rows > 1:
                followed = range(column, min(end, _FOLLOWED_COLUMNS))
                self._rows_left.update(dict.fromkeys(followed, rows - 1))
            column = end
        return cells


def _span(cell: Element, name: str, most: int) -> int:
    """How many columns or rows a cell takes; one where it says nothing that can be."""
    stated = cell.get(name, "").strip()
    return min(max(int(stated), 1), most) if stated.isascii() and stated.isdigit() and len(stated) < 10 else 1


def _cell_text(cell: Element) -> str:
    """The text of a cell, ends stripped; lines that its markup ends are lines, without blanks at their edges."""
    if not len(cell):
        return text_of(cell)
    lines = "".join(_inner_text(cell)).split(_LINE_END)
    return "\n".join(line for one in lines if (line := one.strip()))


def _inner_text(element: Element) -> Iterator[str]:
    yield element.text or ""
    for part in element:
        if isinstance(part.tag, str):  # instructions, which word processors leave there, are none
            line_end = _LINE_END if part.tag in _BLOCKS or part.tag == "br" else ""
            yield line_end
            yield from _inner_text(part)
            yield line_end if part.tag in _BLOCKS else ""
        yield part.tail or ""
