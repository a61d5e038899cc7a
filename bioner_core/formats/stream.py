"""Opening a dump: a path, a bucket's file, or any URL that smart-open reads; gzip found by its magic bytes, capped."""

import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from urllib3.exceptions import HTTPError

from bioner_core.errors import InputError
from bioner_core.formats.buckets import is_bucket, opened_bucket_file
from bioner_core.formats.contract import CHUNK_BYTES, FileFault
from bioner_core.formats.inputs import public_name
from bioner_core.gzip_file import GZIP_MAGIC
from bioner_core.records import RejectReason

HEAD_BYTES = 64 * 1024
"""How many decompressed bytes a reader may sniff at."""

MAX_DECOMPRESSED_BYTES = 64 * 1024**3
"""The most bytes that one compressed file may unpack to; PMC's largest packages of many articles come near to it."""

_GZIP_WINDOW = 31


class RawFile:
    """The bytes of a file as they are stored, counted, and digested if that is wanted."""

    def __init__(self, raw: BinaryIO, *, name: str, digested: bool) -> None:
        self._raw = raw
        self._name = name
        self._digest = hashlib.sha256() if digested else None
        self.bytes_read = 0

    def read(self, size: int) -> bytes:
        """At most `size` bytes; empty at the end.

        Raises:
            InputError: the file cannot be read on; nothing is known about the rest of it.
        """
        try:
            chunk = self._raw.read(size)
        except (OSError, HTTPError) as error:
            raise InputError(f"{self._name}: reading failed after {self.bytes_read} bytes: {_cause(error)}") from None
        if self._digest is not None:
            self._digest.update(chunk)
        self.bytes_read += len(chunk)
        return chunk

    def drain(self) -> str:
        """Read what is left and return the sha256 of the whole file in hex; empty if it is not digested."""
        while self.read(CHUNK_BYTES):
            pass
        return self._digest.hexdigest() if self._digest is not None else ""


class DumpStream:
    """The decompressed bytes of a file. `head` may be sniffed at before reading; `fault` says why it broke off, if so.

    Reading raises `FileFault` when compressed data are cut off, damaged or too large: after all bytes before the fault
    have been given out.
    """

    def __init__(self, raw: RawFile) -> None:
        self._pieces = _decompressed(raw)
        self._pending = b""
        self.fault: FileFault | None = None
        self.head = self._read_head()

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; empty only at the end."""
        if not self._pending:
            self._pending = self._next_piece()
        taken, self._pending = self._pending[:size], self._pending[size:]
        return taken

    def _next_piece(self) -> bytes:
        if self.fault is not None:
            raise self.fault
        return next(self._pieces, b"")

    def _read_head(self) -> bytes:
        held = bytearray()
        try:
            while len(held) < HEAD_BYTES and (piece := next(self._pieces, b"")):
                held += piece
        except FileFault as fault:
            self.fault = fault
        self._pending = bytes(held)
        return self._pending[:HEAD_BYTES]


@contextmanager
def opened(input_file: str, *, digested: bool = False) -> Iterator[RawFile]:
    """Open a path, a bucket's file, or any URL that smart-open reads; `digested` takes the sha256 while it is read.

    Raises:
        InputError: there is no such file, it may not be read, or its kind of URL is unknown here.
    """
    name = public_name(input_file)
    if is_bucket(input_file):
        with opened_bucket_file(input_file) as file:
            yield RawFile(file, name=name, digested=digested)
        return
    try:
        import smart_open  # not at the top: with the cloud clients that it finds it takes 0.2 s, and help needs it not

        raw = smart_open.open(input_file, "rb", compression="disable", transport_params=_transport(input_file))
    except (OSError, ValueError, NotImplementedError, ImportError) as error:
        raise InputError(f"{name}: cannot be opened: {_cause(error)}; check the name and your access to it") from None
    with raw:
        yield RawFile(raw, name=name, digested=digested)


def _transport(input_file: str) -> dict[str, Any]:
    """What smart-open is told of the way to a file."""
    if not input_file.lower().startswith(("http://", "https://")):
        return {}
    from bioner_core.formats.guarded_session import GuardedSession  # requests takes 0.1 s, and files need it not

    return {"session": GuardedSession()}


def _cause(error: Exception) -> str:
    """What went wrong, without the URL and the credentials that an error's own text may repeat."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(status, int):
        return f"HTTP status {status}"
    return getattr(error, "strerror", None) or type(error).__name__


def _decompressed(raw: RawFile) -> Iterator[bytes]:
    first = raw.read(CHUNK_BYTES)
    while 0 < len(first) < len(GZIP_MAGIC) and (more := raw.read(CHUNK_BYTES)):
        first += more
    if first.startswith(GZIP_MAGIC):
        yield from _gunzipped(raw, first)
        return
    while first:
        yield first
        first = raw.read(CHUNK_BYTES)


def _gunzipped(raw: RawFile, compressed: bytes) -> Iterator[bytes]:
    given = 0
    while compressed:
        member = zlib.decompressobj(_GZIP_WINDOW)
        while not member.eof:
            piece = _inflated(member, compressed)
            given += len(piece)
            if given > MAX_DECOMPRESSED_BYTES:
                raise FileFault(RejectReason.TOO_LARGE, f"unpacks to more than {MAX_DECOMPRESSED_BYTES} bytes")
            if piece:
                yield piece
            compressed = member.unconsumed_tail
            if not compressed and not member.eof and not (compressed := raw.read(CHUNK_BYTES)):
                raise FileFault(RejectReason.TRUNCATED, f"compressed data end early, after {given} unpacked bytes")
        compressed = _next_member(raw, member.unused_data)


def _inflated(member: "zlib._Decompress", compressed: bytes) -> bytes:
    try:
        return member.decompress(compressed, CHUNK_BYTES)
    except zlib.error as error:
        raise FileFault(RejectReason.MALFORMED, f"compressed data are damaged: {error}") from None


def _next_member(raw: RawFile, rest: bytes) -> bytes:
    """The start of the next gzip member, past any zero padding; empty at the end of the file."""
    while not (rest := rest.lstrip(b"\0")) and (more := raw.read(CHUNK_BYTES)):
        rest = more
    return rest
