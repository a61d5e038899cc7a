"""The encodings of tagged text exports: byte order mark, then UTF-8, then GB18030 or Big5, strict, or a clear fault.

No export states its encoding, and a prefix proves nothing, so the whole file is probed before any record is made.
"""

import codecs
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from typing import IO

from bioner_core.formats.chinese_encodings import SAMPLE_BYTES, likely_encoding, sniffed_encoding
from bioner_core.formats.contract import MAX_BLANK_BYTES, MAX_RECORD_BYTES, ByteSource, FileFault, stream_chunks
from bioner_core.records import RejectReason

MAX_TEXT_FILE_BYTES = 1024**3
"""The most bytes that one tagged text file may have; it waits in a temporary file while its encoding is found."""

MAX_TEXT_LINES = 20_000_000
"""The most lines that one tagged text file may have: a file of the largest size with 50 characters per line."""

_IN_MEMORY_BYTES = 8 * 1024 * 1024
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class DecodedText:
    """A whole file as text lines; `fault` is why the file breaks off after them, if it does."""

    lines: Iterator[str]
    fault: FileFault | None

    def whole_lines(self) -> Iterator[str]:
        """The lines; of a file that breaks off all but the last one, which may be cut.

        Raises:
            FileFault: after the last whole line of a file that breaks off.
        """
        held: str | None = None
        for line in self.lines:
            if held is not None:
                yield held
            held = line
        if self.fault is not None:
            raise self.fault
        if held is not None:
            yield held


# Every reader asks when a file is sniffed; the head is one object, whose digest Python keeps.
@lru_cache(maxsize=2)
def decode_head(head: bytes) -> str:
    """The start of a file as text, for sniffing only: damaged or cut characters are replaced."""
    if head.startswith(_UTF16_MARKS):
        return head.decode("utf-16", errors="replace")
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        return head.decode(sniffed_encoding(head), errors="replace")


@lru_cache(maxsize=2)
def head_lines(head: bytes) -> tuple[str, ...]:
    """The lines of the start of a file, without their ends; for sniffing only."""
    return tuple(decode_head(head).split("\n"))


def first_line(head: bytes) -> str:
    """The first line with anything on it, ends stripped; for sniffing only."""
    return decode_head(head).lstrip().partition("\n")[0].rstrip()


@contextmanager
def decoded_text(stream: ByteSource) -> Iterator[DecodedText]:
    """Find the encoding of a stream and give its lines; `\\r\\n`, `\\r` and `\\n` end a line and are given as `\\n`.

    A line longer than `MAX_RECORD_BYTES` characters comes in pieces.

    Raises:
        FileFault: no encoding fits the whole stream, or it is longer than `MAX_TEXT_FILE_BYTES`.
    """
    probe = _EncodingProbe()
    spool, fault = _spooled(stream, probe)
    with spool:
        encoding = probe.verdict(complete=fault is None)
        if encoding == "gb18030":
            spool.seek(0)
            encoding = likely_encoding(spool.read(SAMPLE_BYTES))
        spool.seek(0)
        # A file cut off inside a character is still text up to there: only that character is passed over.
        errors = "strict" if fault is None else "ignore"
        text = io.TextIOWrapper(spool, encoding=encoding, errors=errors)
        try:
            yield DecodedText(_within_budget(iter(partial(text.readline, MAX_RECORD_BYTES), "")), fault)
        finally:
            text.detach()


def _within_budget(lines: Iterator[str]) -> Iterator[str]:
    """The lines, as long as there is something on them.

    What counts is in the file, and never the clock: a file that was cut by time would have other records each time that
    it is read.

    Raises:
        FileFault: blank lines without end, or more lines than any export has.
    """
    blank = 0
    for line in islice(lines, MAX_TEXT_LINES):
        if line.isspace():
            blank += len(line)
            if blank > MAX_BLANK_BYTES:
                what = f"more than {MAX_BLANK_BYTES} blank characters one after another"
                raise FileFault(RejectReason.TOO_LARGE, what)
        else:
            blank = 0
        yield line
    if next(lines, None) is not None:
        raise FileFault(RejectReason.TOO_LARGE, f"more than {MAX_TEXT_LINES} lines")


def _spooled(stream: ByteSource, probe: "_EncodingProbe") -> tuple[IO[bytes], FileFault | None]:
    """All of a stream in memory, or in a temporary file if it is long, and why it breaks off."""
    # Not `SpooledTemporaryFile`: the text layer above asks it with each line whether it is closed, in Python.
    spool: IO[bytes] = io.BytesIO()
    size = 0
    try:
        for chunk in stream_chunks(stream):
            size += len(chunk)
            if size > MAX_TEXT_FILE_BYTES:
                raise FileFault(RejectReason.TOO_LARGE, f"more than {MAX_TEXT_FILE_BYTES} bytes of tagged text")
            if size > _IN_MEMORY_BYTES and isinstance(spool, io.BytesIO):
                spool = _on_disk(spool)
            spool.write(chunk)
            probe.feed(chunk)
    except FileFault as fault:
        return spool, fault
    except BaseException:
        spool.close()
        raise
    return spool, None


def _on_disk(held: io.BytesIO) -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - `decoded_text` closes it
    file.write(held.getbuffer())
    return file


class _EncodingProbe:
    """Decodes a stream in every encoding that is still possible."""

    def __init__(self) -> None:
        self._candidates: dict[str, codecs.IncrementalDecoder] | None = None
        self._failure = "there is no encoding to try"

    def feed(self, chunk: bytes) -> None:
        if self._candidates is None:
            self._candidates = {name: codecs.getincrementaldecoder(name)() for name in _candidates(chunk)}
        self._decode(chunk, final=False)

    def verdict(self, *, complete: bool) -> str:
        """The first encoding that fits all that was fed.

        Raises:
            FileFault: none does.
        """
        if complete:
            self._decode(b"", final=True)
        if self._candidates is None:
            return "utf-8"
        for name in self._candidates:
            return name
        raise FileFault(
            RejectReason.BAD_ENCODING, f"neither a byte order mark's encoding, UTF-8 nor GB18030: {self._failure}"
        )

    def _decode(self, chunk: bytes, *, final: bool) -> None:
        candidates = self._candidates or {}
        for name, decoder in list(candidates.items()):
            try:
                decoder.decode(chunk, final)
            except UnicodeDecodeError as error:
                self._failure = f"{name} stops at byte 0x{error.object[error.start]:02x} ({error.reason})"
                del candidates[name]


def _candidates(first: bytes) -> tuple[str, ...]:
    if first.startswith(codecs.BOM_UTF8):
        return ("utf-8-sig",)
    if first.startswith(_UTF16_MARKS):
        return ("utf-16",)
    return ("utf-8", "gb18030")
