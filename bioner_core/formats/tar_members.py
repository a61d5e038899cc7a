"""The files of a tar archive, one after the other, from a stream: nothing is unpacked, and nothing long is held.

The standard library reads such archives too, but takes a header's word for how much memory a name needs.
"""

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from bioner_core.formats.contract import CHUNK_BYTES, ByteSource, FileFault
from bioner_core.records import RejectReason

MAX_NAME_BYTES = 64 * 1024
"""The most bytes that the name of one member, with all that is said about it, may take."""

_BLOCK = tarfile.BLOCKSIZE
_PAX_SIZE = re.compile(rb"(?:^|\n)\d+ size=(\d{1,18})\n")
_PAX_PATH = re.compile(rb"(?:^|\n)\d+ path=([^\n]*)\n")


@dataclass(frozen=True, slots=True)
class TarMember:
    """One member. Its `content` may be read until the next member is asked for; links and folders have none."""

    name: str
    size: int
    is_file: bool
    content: "_Content"


class _Content:
    """The bytes of one member. Reading raises `FileFault` where the archive ends before them."""

    def __init__(self, stream: ByteSource, size: int) -> None:
        self._stream = stream
        self._left = size

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; empty only at the end of the member."""
        wanted = min(size, self._left)
        if not wanted:
            return b""
        piece = self._stream.read(wanted)
        if not piece:
            raise FileFault(RejectReason.TRUNCATED, "the archive ends early")
        self._left -= len(piece)
        return piece

    def skip(self) -> None:
        """Pass over what has not been read."""
        while self.read(CHUNK_BYTES):
            pass


def begins_archive(head: bytes) -> bool:
    """Whether a file begins with the header of a member, its checksum included."""
    try:
        tarfile.TarInfo.frombuf(head[:_BLOCK], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def tar_members(stream: ByteSource) -> Iterator[TarMember]:
    """Walk the members in the order of the archive, names of any length and form included.

    Raises:
        FileFault: after the last whole member: a header is damaged or the archive ends early.
    """
    name, size = "", -1
    while (header := _header(stream)) is not None:
        length = size if size >= 0 and header.isreg() else header.size
        if length < 0:
            raise FileFault(RejectReason.MALFORMED, "the archive is damaged: a member has a negative size")
        length = length if _has_blocks(header) else 0
        content = _Content(stream, length)
        if header.type == tarfile.GNUTYPE_LONGNAME:
            name = _text(_small(content, length).rstrip(b"\0"))
        elif header.type in (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE):
            name, size = _described(_small(content, length), name)
        elif header.type in (tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK):
            content.skip()
        else:
            yield TarMember(name or header.name, length, header.isreg(), content)
            name, size = "", -1
            content.skip()
        _Content(stream, -length % _BLOCK).skip()
    while stream.read(CHUNK_BYTES):
        pass


def _has_blocks(header: tarfile.TarInfo) -> bool:
    return not (header.issym() or header.islnk() or header.isdir())


def _header(stream: ByteSource) -> tarfile.TarInfo | None:
    """The next header; None at the end of the archive, whether or not it is marked as such."""
    block = bytearray()
    while len(block) < _BLOCK and (piece := stream.read(_BLOCK - len(block))):
        block += piece
    if not block:
        return None
    try:
        return tarfile.TarInfo.frombuf(bytes(block), "utf-8", "surrogateescape")
    except (tarfile.EOFHeaderError, tarfile.EmptyHeaderError):  # type: ignore[attr-defined]
        return None
    except tarfile.HeaderError as error:
        cut = len(block) < _BLOCK
        reason = RejectReason.TRUNCATED if cut else RejectReason.MALFORMED
        raise FileFault(reason, f"the archive {'ends early' if cut else 'is damaged'}: {error}") from None


def _small(content: _Content, length: int) -> bytes:
    if length > MAX_NAME_BYTES:
        raise FileFault(RejectReason.TOO_LARGE, f"a member's name takes more than {MAX_NAME_BYTES} bytes")
    held = bytearray()
    while piece := content.read(CHUNK_BYTES):
        held += piece
    return bytes(held)


def _described(records: bytes, name: str) -> tuple[str, int]:
    """The name and size that a pax header gives; the size is -1 where it gives none."""
    path, size = _PAX_PATH.search(records), _PAX_SIZE.search(records)
    return (_text(path.group(1)) if path else name), (int(size.group(1)) if size else -1)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
