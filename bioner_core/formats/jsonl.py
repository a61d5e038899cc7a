"""JSON lines: one object per line, each a document, in UTF-8."""

import re
from collections.abc import Iterator
from functools import partial

from bioner_core.documents import Document
from bioner_core.formats.contract import (
    MAX_BLANK_BYTES,
    MAX_RECORD_BYTES,
    ByteSource,
    FileFault,
    Origin,
    PendingRecord,
    Reader,
    RecordFault,
    stream_chunks,
)
from bioner_core.formats.document_fields import document_of_fields
from bioner_core.formats.json_text import parsed_json
from bioner_core.formats.unknown_formats import is_error_reply
from bioner_core.records import RejectReason

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FIRST_OBJECT = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{[ \t]*["}]')


class JsonLinesReader(Reader):
    """Reads one object per line, each a document: `document_fields` says which fields count.

    A line that cannot be used is a reject of its own; the lines after it are read. Blank lines are no records.
    """

    name = "jsonl"
    source = "jsonl"

    def recognises(self, head: bytes) -> bool:
        """Whether the first line opens an object."""
        return _FIRST_OBJECT.match(head) is not None and not is_error_reply(head)

    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        """Walk the lines that are not blank.

        Raises:
            FileFault: more than `MAX_BLANK_BYTES` of blank lines in a row.
        """
        blank = 0
        for index, line in enumerate(_bounded_lines(stream)):
            if index == 0 and line is not None:
                line = line.removeprefix(_BYTE_ORDER_MARK)
            if line is None or line.strip():
                blank = 0
                yield partial(_document, line)
                continue
            blank += len(line) + 1
            if blank > MAX_BLANK_BYTES:
                raise FileFault(RejectReason.TOO_LARGE, f"more than {MAX_BLANK_BYTES} bytes of blank lines")


def _bounded_lines(stream: ByteSource) -> Iterator[bytes | None]:
    """The lines of a stream without their ends; None for one longer than `MAX_RECORD_BYTES`, which is not kept."""
    line = _OpenLine()
    for chunk in stream_chunks(stream):
        first, *others = chunk.split(b"\n")
        line.add(first)
        for piece in others:
            yield line.taken()
            line.add(piece)
    yield line.taken()


class _OpenLine:
    """A line while its pieces come in."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size <= MAX_RECORD_BYTES:
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    def taken(self) -> bytes | None:
        """The whole line, None if it was too long; then ready for the next one."""
        line = b"".join(self._pieces) if self._size <= MAX_RECORD_BYTES else None
        self._pieces, self._size = [], 0
        return line


def _document(line: bytes | None, origin: Origin) -> Document:
    if line is None:
        raise RecordFault(RejectReason.TOO_LARGE, f"the line takes more than {MAX_RECORD_BYTES} bytes")
    fields = parsed_json(line)
    if not isinstance(fields, dict):
        raise RecordFault(RejectReason.MALFORMED, f"the line is a JSON {type(fields).__name__}, not an object")
    return document_of_fields(fields, origin)
