"""HTML tables of records: what CNKI sends under the name `.xls`."""

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
    parser, unfinished, gave_up = _new_parser(), 0, False
    for piece in _pieces(text.lines):
        if gave_up:
            if not _ROW.match(piece):
                continue
            parser, gave_up = _new_parser(), False
            parser.feed(b"<table>")
        parser.feed(piece.encode())
        unfinished += len(piece)
        for row in _finished(parser):
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
    yield from _finished(parser)


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


def _finished(parser: etree.HTMLPullParser) -> Iterator[Row]:
    for _, event in parser.read_events():
        element = cast(Element, event)
        yield _row(element)
        release(element)


def _row(element: Element) -> Row:
    if next(element.iterdescendants("table"), None) is not None:
        return {}
    cells = enumerate(one for one in element if one.tag in ("td", "th"))
    return {column: text for column, cell in cells if (text := text_of(cell))}
