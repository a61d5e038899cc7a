"""The records inside a large JSON file, found without reading the whole of it: by brackets and keys alone.

A record is an object that holds a given key, or an element of an array under a key that lists records. What is around
records (collections, their fields) is passed over; objects that hold no record and are in none are given out as well,
so that nothing is lost in silence.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bioner_core.formats.contract import MAX_RECORD_BYTES, ByteSource, FileFault, stream_chunks
from bioner_core.formats.json_text import MAX_JSON_DEPTH
from bioner_core.records import RejectReason

_BLOCK_BYTES = 1024 * 1024
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}:,"]', re.DOTALL)
_OPENING, _CLOSING = b"[{", b"]}"
_PAIRS = {b"]": b"[", b"}": b"{"}


@dataclass(slots=True)
class _Open:
    """An array or object that has begun: where, what its last key was, and what is known of it."""

    bracket: bytes
    start: int
    key: bytes = b""
    holds_records: bool = False


def json_records(stream: ByteSource, *, record_key: str, list_keys: frozenset[str]) -> Iterator[bytes]:
    """The bytes of each record, in file order.

    Raises:
        FileFault: after the last whole record: brackets do not match, nest deeper than `MAX_JSON_DEPTH`, or a record
            takes more than `MAX_RECORD_BYTES`; or the file ends inside one.
    """
    walk = _Walk(record_key.encode(), frozenset(key.encode() for key in list_keys))
    for block in _blocks(stream):
        yield from walk.fed(block)
    walk.finish()


def _blocks(stream: ByteSource) -> Iterator[bytes]:
    """The stream in large blocks: what is left of one is searched again with the next."""
    held = bytearray()
    try:
        for chunk in stream_chunks(stream):
            held += chunk
            if len(held) >= _BLOCK_BYTES:
                yield bytes(held)
                held.clear()
    except FileFault:
        yield bytes(held)
        raise
    yield bytes(held)


class _Walk:
    """Follows the brackets of a file; keeps only the bytes that may still belong to a record."""

    def __init__(self, record_key: bytes, list_keys: frozenset[bytes]) -> None:
        self._record_key = b'"' + record_key + b'"'
        self._list_keys = frozenset(b'"' + key + b'"' for key in list_keys)
        self._open: list[_Open] = []
        self._record: _Open | None = None
        self._held = b""
        self._at = 0
        self._last_string = b""

    def fed(self, block: bytes) -> Iterator[bytes]:
        """The records that end in a block."""
        self._held += block
        position = self._at
        for token in _TOKEN.finditer(self._held, self._at):
            text = token.group()
            if text == b'"':
                break
            position = token.end()
            first = text[0]
            if first in _OPENING:
                self._opened(text, position - 1)
            elif first in _CLOSING:
                if (record := self._closed(text, position)) is not None:
                    yield record
            elif self._record is None:
                self._said(text)
        else:
            position = len(self._held)
        self._forget(position)

    def finish(self) -> None:
        """Check that all that was open is closed."""
        if self._open:
            raise FileFault(RejectReason.TRUNCATED, "JSON ends early")

    def _opened(self, bracket: bytes, start: int) -> None:
        if len(self._open) >= MAX_JSON_DEPTH:
            raise FileFault(RejectReason.TOO_LARGE, f"arrays and objects nest deeper than {MAX_JSON_DEPTH}")
        one = _Open(bracket, start)
        if self._record is None and bracket == b"{" and self._is_listed():
            self._record = one
        self._open.append(one)

    def _is_listed(self) -> bool:
        """Whether what begins here is an element of an array that lists records."""
        return len(self._open) > 1 and self._open[-1].bracket == b"[" and self._open[-2].key in self._list_keys

    def _said(self, text: bytes) -> None:
        """Take in a string, or that the last one was a key, outside records."""
        if text == b":" and self._open:
            innermost, key = self._open[-1], self._last_string
            innermost.key = key
            if key == self._record_key and not innermost.holds_records:
                self._record = innermost
            if key in self._list_keys:
                self._all_open_hold_records()
        elif text != b",":
            self._last_string = text

    def _closed(self, bracket: bytes, end: int) -> bytes | None:
        if not self._open or self._open[-1].bracket != _PAIRS[bracket]:
            raise FileFault(RejectReason.MALFORMED, f"JSON is damaged: {bracket.decode()!r} closes nothing")
        closed = self._open.pop()
        if closed is self._record:
            self._record = None
        elif self._record is not None or not self._is_alone(closed):
            return None
        self._all_open_hold_records()
        return self._held[closed.start : end]

    def _is_alone(self, closed: _Open) -> bool:
        """Whether an object holds no records and is in none: something else than was to be expected."""
        return closed.bracket == b"{" and not closed.holds_records and all(one.bracket == b"[" for one in self._open)

    def _all_open_hold_records(self) -> None:
        for one in self._open:
            one.holds_records = True

    def _forget(self, position: int) -> None:
        """Drop what no record can need any more."""
        needed = [one.start for one in self._open if one.bracket == b"{" and not one.holds_records]
        keep = min([position, *needed])
        if len(self._held) - keep > MAX_RECORD_BYTES:
            raise FileFault(RejectReason.TOO_LARGE, f"a record takes more than {MAX_RECORD_BYTES} bytes")
        self._held = self._held[keep:]
        self._at = position - keep
        for one in self._open:
            one.start -= keep
