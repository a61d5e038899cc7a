"""What CNKI's web service answers to an export: JSON with the same records in several text formats.

`{"code": 1, "data": [{"key": "EndNote", "value": ["%0 …<br>%T …"]}, …]}`; each text is read by the reader of its form.
"""

import io
import re
from collections.abc import Iterator
from functools import partial
from typing import Any, NoReturn

from bioner_core.formats.cnki_citation import CnkiCitationReader
from bioner_core.formats.cnki_endnote import CnkiEndNoteReader
from bioner_core.formats.cnki_estudy import CnkiEStudyReader
from bioner_core.formats.cnki_noteexpress import CnkiNoteExpressReader
from bioner_core.formats.cnki_refworks import CnkiRefWorksReader
from bioner_core.formats.contract import (
    ByteSource,
    FileFault,
    Origin,
    PendingRecord,
    Reader,
    RecordFault,
    stream_chunks,
)
from bioner_core.formats.encoding import decode_head
from bioner_core.formats.json_text import parsed_json
from bioner_core.records import RejectReason

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""The most bytes that one answer may have; the service exports at most some hundred records at a time."""

_ANSWER = re.compile(r'\s*\{(?=.{0,2000}?"data"\s*:\s*\[\s*\{\s*"(?:key|value|mode)"\s*:)', re.DOTALL)
_TEXT_READERS = (
    CnkiNoteExpressReader(),
    CnkiRefWorksReader(),
    CnkiEndNoteReader(),
    CnkiEStudyReader(),
    CnkiCitationReader(),
)


class CnkiWebExportReader(Reader):
    """One record for each record of each text: an article that comes in three formats is three records of one id."""

    name = "cnki_web_export"
    source = "cnki"

    def recognises(self, head: bytes) -> bool:
        """Whether an object opens that soon holds `data` with keys and values."""
        return _ANSWER.match(decode_head(head)) is not None

    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        """Walk the texts in file order.

        Raises:
            FileFault: it is not JSON, or too long.
        """
        try:
            answer = parsed_json(_whole(stream))
        except RecordFault as fault:
            raise FileFault(fault.reason, str(fault)) from None
        for key, text in _texts(answer):
            yield from _pending(key, text)


def _whole(stream: ByteSource) -> bytes:
    held = bytearray()
    for chunk in stream_chunks(stream):
        held += chunk
        if len(held) > MAX_ANSWER_BYTES:
            raise FileFault(RejectReason.TOO_LARGE, f"more than {MAX_ANSWER_BYTES} bytes of JSON")
    return bytes(held.removeprefix(b"\xef\xbb\xbf"))


def _texts(answer: Any) -> Iterator[tuple[str, str]]:
    """Each format's name with each of its texts."""
    entries = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(entries, list):
        raise FileFault(RejectReason.MALFORMED, '"data" is not an array')
    for entry in entries:
        key = str(entry.get("key", "")) if isinstance(entry, dict) else ""
        value = entry.get("value") if isinstance(entry, dict) else entry
        for text in value if isinstance(value, list) else [value]:
            yield key, text if isinstance(text, str) else ""


def _pending(key: str, text: str) -> Iterator[PendingRecord]:
    """The records of one text; a text of no known form is one that cannot be used."""
    try:
        content = text.encode()
    except UnicodeEncodeError:
        yield partial(_unusable, RejectReason.BAD_CHARACTERS, f"the text of format {key!a} has unpaired surrogates")
        return
    for reader in _TEXT_READERS:
        if reader.recognises(content):
            yield from reader.scan(io.BytesIO(content))
            return
    yield partial(_unusable, RejectReason.MALFORMED, f"format {key!a} is not one that is read here")


def _unusable(reason: RejectReason, message: str, origin: Origin) -> NoReturn:
    raise RecordFault(reason, f"record {origin.record_number}: {message}")
