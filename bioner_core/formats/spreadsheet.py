"""Spreadsheets, `.xlsx`: the rows of every sheet, streamed, with nothing but text taken from them.

Read here and not with openpyxl, because dumps are hostile: openpyxl's parser of sheets expands entities, a sheet that
claims a million empty columns makes it build them, and a damaged one may raise anything.
"""

import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import IO

from bioner_core.formats.contract import (
    ByteSource,
    FileFault,
    PendingRecord,
    Reader,
    copy_whole,
    stream_chunks,
)
from bioner_core.formats.table_columns import Row, table_records
from bioner_core.formats.xml_prolog import read_prolog
from bioner_core.formats.xml_stream import finished_elements, release
from bioner_core.formats.xml_text import Element, local_name
from bioner_core.records import RejectReason

MAX_SPREADSHEET_BYTES = 256 * 1024 * 1024
"""The most bytes that a spreadsheet may have; it waits in a temporary file, since its directory is at its end."""

MAX_UNPACKED_BYTES = 1024**3
"""The most bytes that all parts of a spreadsheet may unpack to together."""

MAX_SHARED_CHARACTERS = 64 * 1024 * 1024
"""The most characters in the table of texts that the cells share; it is held in memory."""

MAX_SHARED_TEXTS = 4 * 1024 * 1024
"""The most texts in that table: an empty one takes memory too."""

_MAGIC = b"PK\x03\x04"
_PARTS = (b"[Content_Types].xml", b"xl/")
_SHEET = re.compile(r"xl/worksheets/[^/]*?(\d*)\.xml")
_SHARED = "xl/sharedStrings.xml"
_WORKBOOK = "xl/workbook.xml"
_IN_MEMORY_BYTES = 8 * 1024 * 1024
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGES = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError
)  # fmt: skip
_COLUMN = re.compile(r"([A-Z]{1,3})\d*")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


class SpreadsheetReader(Reader):
    """Sheets in the order of their numbers; a row is a record, as `table_columns` says."""

    name = "xlsx"
    source = "cnki"

    def recognises(self, head: bytes) -> bool:
        """Whether it is a ZIP archive whose first parts are those of a spreadsheet."""
        return head.startswith(_MAGIC) and all(part in head for part in _PARTS)

    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        """Walk the rows of every sheet.

        Raises:
            FileFault: the archive is damaged or encrypted, unpacks to too much, or a part is no XML that may be read.
        """
        with _opened(stream) as archive:
            texts, day_zero = _shared_texts(archive), _day_zero(archive)
            for sheet in _sheets(archive):
                yield from table_records(_rows(archive, sheet, texts), table=sheet, day_zero=day_zero)


@contextmanager
def _opened(stream: ByteSource) -> Iterator[zipfile.ZipFile]:
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as spool:
        copy_whole(stream, spool, most=MAX_SPREADSHEET_BYTES)
        try:
            archive = zipfile.ZipFile(spool)
        except _DAMAGES as error:
            raise FileFault(RejectReason.MALFORMED, f"not a spreadsheet: {error}") from None
        with archive:
            _check_parts(archive.infolist())
            yield archive


def _check_parts(parts: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse what unpacks to too much before any of it is unpacked; a part never gives more than it says here."""
    if any(part.compress_type not in _PACKINGS for part in parts):
        raise FileFault(RejectReason.MALFORMED, "a part of the spreadsheet is packed as no spreadsheet's part is")
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MAX_UNPACKED_BYTES:
        raise FileFault(RejectReason.TOO_LARGE, f"the spreadsheet unpacks to more than {MAX_UNPACKED_BYTES} bytes")


class _Part:
    """One part of an archive while it is read; damage to it is a fault of the file."""

    def __init__(self, part: IO[bytes], name: str) -> None:
        self._part = part
        self._name = name

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; empty only at the end."""
        try:
            return self._part.read(size)
        except _DAMAGES as error:
            raise FileFault(RejectReason.MALFORMED, f"{self._name} is damaged: {error}") from None


def _elements(archive: zipfile.ZipFile, name: str, *, root: str, tag: str) -> Iterator[Element]:
    """The elements of one tag in a part of the archive, each valid until the next one is asked for."""
    try:
        opened = archive.open(name)
    except _DAMAGES as error:
        raise FileFault(RejectReason.MALFORMED, f"{name!a} cannot be unpacked: {error}") from None
    with opened:
        part = _Part(opened, ascii(name))
        for element in finished_elements(_from_root(part, root), (f"{{*}}{tag}",)):
            yield element
            release(element)


def _from_root(part: _Part, root: str) -> Iterator[bytes]:
    yield read_prolog(part, frozenset({root}), namespaced=True).content
    yield from stream_chunks(part)


def _shared_texts(archive: zipfile.ZipFile) -> list[str]:
    """The table of texts to which cells point by number, ends stripped."""
    if _SHARED not in archive.namelist():
        return []
    texts: list[str] = []
    size = 0
    for item in _elements(archive, _SHARED, root="sst", tag="si"):
        texts.append(_rich_text(item).strip())  # once here: each cell that points to it would make a copy of its own
        size += len(texts[-1])
        if size > MAX_SHARED_CHARACTERS:
            raise FileFault(RejectReason.TOO_LARGE, f"cells share more than {MAX_SHARED_CHARACTERS} characters")
        if len(texts) > MAX_SHARED_TEXTS:
            raise FileFault(RejectReason.TOO_LARGE, f"cells share more than {MAX_SHARED_TEXTS} texts")
    return texts


def _day_zero(archive: zipfile.ZipFile) -> date:
    """The day from which the numbers of dates count: old Macintosh workbooks say that theirs begin in 1904."""
    try:
        properties = next(_elements(archive, _WORKBOOK, root="workbook", tag="workbookPr"), None)
    except FileFault:  # the rows can be read without it
        properties = None
    if properties is not None and properties.get("date1904") in ("1", "true"):
        return date(1904, 1, 1)
    return date(1899, 12, 30)


def _sheets(archive: zipfile.ZipFile) -> list[str]:
    found = [(int(match[1] or 0), name) for name in set(archive.namelist()) if (match := _SHEET.fullmatch(name))]
    return [name for _, name in sorted(found)]


def _rows(archive: zipfile.ZipFile, sheet: str, texts: Sequence[str]) -> Iterator[Row]:
    for element in _elements(archive, sheet, root="worksheet", tag="row"):
        yield _row(element, texts)


def _row(element: Element, texts: Sequence[str]) -> Row:
    row: dict[int, str] = {}
    for position, cell in enumerate(one for one in element if local_name(one) == "c"):
        if text := _cell_text(cell, texts):
            row[_column(cell.get("r"), position)] = text
    return row


def _column(reference: str | None, position: int) -> int:
    """The column of `B7` from 0; a cell that does not say is where it stands among the row's cells."""
    found = _COLUMN.fullmatch(reference or "")
    if found is None:
        return position
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1


def _cell_text(cell: Element, texts: Sequence[str]) -> str:
    """The text of a cell, ends stripped; a text that cells share is given and not copied."""
    kind = cell.get("t")
    if kind == "inlineStr":
        return "".join(_rich_text(one) for one in cell if local_name(one) == "is").strip()
    value = next((one.text or "" for one in cell if local_name(one) == "v"), "")
    if kind != "s":
        return "" if kind == "e" else _unescaped(value).strip()
    number = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else len(texts)
    return texts[number] if number < len(texts) else ""


def _rich_text(item: Element) -> str:
    """The text of all runs, without the readings that East Asian sheets hold beside them."""
    return _unescaped(
        "".join(
            one.text or ""
            for one in item.iter("{*}t")
            if local_name(one.getparent()) != "rPh"  # type: ignore[arg-type]
        )
    )


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text
