"""JSON lines: one document an object a line, UTF-8."""

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from bioner_core.documents import Document, DocumentMeta, Passage
from bioner_core.formats.contract import (
    MAX_RECORD_BYTES,
    ByteSource,
    Origin,
    PendingRecord,
    Reader,
    RecordFault,
    stream_chunks,
)
from bioner_core.formats.languages import detect_language
from bioner_core.records import RejectReason

MAX_JSON_DEPTH = 64
"""How deep arrays and objects of one line may nest."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FIRST_OBJECT = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{[ \t]*["}]')
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
# Control characters inside a string, NUL too, are kept as the characters that they are.
_DECODER = json.JSONDecoder(strict=False)


class JsonLinesReader(Reader):
    """Reads `{"id", "text"}` or `{"id", "passages": [{"section", "label", "lang", "text"}]}`, one object a line.

    `doc_id` may stand for `id`; `lang`, `version` and `meta` are optional. A line that cannot be used is a reject
    of its own; the lines after it are read. Blank lines are no records.
    """

    name = "jsonl"
    source = "jsonl"

    def recognises(self, head: bytes) -> bool:
        """Whether the first line opens an object."""
        return _FIRST_OBJECT.match(head) is not None

    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        """Walk the lines that are not blank."""
        for index, line in enumerate(_bounded_lines(stream)):
            if index == 0 and line is not None:
                line = line.removeprefix(_BYTE_ORDER_MARK)
            if line is None or line.strip():
                yield partial(_document, line)


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
    fields = _parsed(line)
    doc_id = _doc_id(fields, origin.source)
    try:
        passages = _passages(fields)
        version = _version(fields)
        meta = _meta(fields, origin)
        lang = _string(fields, "lang")
    except _FieldFault as fault:
        raise RecordFault(RejectReason.MALFORMED, str(fault), doc_id=doc_id) from None
    if not passages:
        raise RecordFault(RejectReason.NO_TEXT, "no passage has text", doc_id=doc_id)
    lang = lang or detect_language("".join(passage.text for passage in passages))
    return Document(doc_id, origin.source, version, lang, passages, meta)


def _parsed(line: bytes | None) -> dict[str, Any]:
    if line is None:
        raise RecordFault(RejectReason.TOO_LARGE, f"the line takes more than {MAX_RECORD_BYTES} bytes")
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise RecordFault(RejectReason.BAD_ENCODING, f"not UTF-8 at byte {error.start} of the line") from None
    if _deeper_than(text, MAX_JSON_DEPTH):
        raise RecordFault(RejectReason.TOO_LARGE, f"arrays and objects nest deeper than {MAX_JSON_DEPTH}")
    try:
        parsed = _DECODER.decode(text.strip())
    except ValueError as error:
        raise RecordFault(RejectReason.MALFORMED, f"not JSON: {error}") from None
    if not isinstance(parsed, dict):
        raise RecordFault(RejectReason.MALFORMED, f"the line is a JSON {type(parsed).__name__}, not an object")
    return parsed


def _deeper_than(text: str, limit: int) -> bool:
    """Whether brackets outside strings nest deeper, found without recursion."""
    if text.count("[") + text.count("{") <= limit:
        return False
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > limit:
            return True
    return False


class _FieldFault(Exception):
    """A field has a value of the wrong kind."""


def _doc_id(fields: dict[str, Any], source: str) -> str:
    identifier = fields.get("id", fields.get("doc_id"))
    if isinstance(identifier, int) and not isinstance(identifier, bool):
        identifier = str(identifier)
    if not isinstance(identifier, str) or not identifier.strip():
        raise RecordFault(RejectReason.MISSING_ID, '"id" must be a string that is not empty, or a whole number')
    return f"{source}:{identifier.strip().removeprefix(source + ':')}"


def _passages(fields: dict[str, Any]) -> tuple[Passage, ...]:
    if ("text" in fields) == ("passages" in fields):
        raise _FieldFault('give either "text" or "passages"')
    given = fields.get("passages", [{"text": fields.get("text"), "lang": _string(fields, "lang")}])
    if not isinstance(given, list):
        raise _FieldFault('"passages" must be an array')
    return tuple(passage for item in given if (passage := _passage(item)).text.strip())


def _passage(item: Any) -> Passage:
    if not isinstance(item, dict) or not isinstance(item.get("text"), str):
        raise _FieldFault('a passage must have a "text" that is a string')
    text = item["text"]
    lang = _string(item, "lang") or detect_language(text)
    return Passage(_string(item, "section") or "text", _string(item, "label"), lang, text)


def _string(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise _FieldFault(f'"{name}" must be a string, not {type(value).__name__}')
    return value or ""


def _version(fields: dict[str, Any]) -> int:
    version = fields.get("version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or not 0 < version < 2**31:
        raise _FieldFault('"version" must be a whole number from 1')
    return version


def _meta(fields: dict[str, Any], origin: Origin) -> DocumentMeta:
    given = fields.get("meta") or {}
    if not isinstance(given, dict):
        raise _FieldFault('"meta" must be an object')
    ids, keywords, year = given.get("ids") or {}, given.get("keywords") or [], given.get("year", "")
    if not isinstance(ids, dict) or not isinstance(keywords, list):
        raise _FieldFault('"meta.ids" must be an object and "meta.keywords" an array')
    return DocumentMeta(
        ids=tuple((kind, str(value)) for kind, value in ids.items()),
        journal=_string(given, "journal"),
        year=str(year) if isinstance(year, int) else _string(given, "year"),
        keywords=tuple(str(keyword) for keyword in keywords),
        input_file=origin.input_file,
        record_number=origin.record_number,
    )
