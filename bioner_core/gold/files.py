"""Opening files of gold: plain or gzip, told by their first bytes, in UTF-8; a fault names the file."""

import zlib
from pathlib import Path

from bioner_core.errors import InputError, cause_of
from bioner_core.gzip_file import open_plain_or_gzip

MAX_WHOLE_BYTES = 1024**3
"""The most decompressed bytes of a file that is read as a whole; corpora are far smaller."""

_HEAD_BYTES = 64 * 1024


def head_of(path: Path) -> bytes:
    """The first bytes of a file, unpacked, without a byte order mark.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with open_plain_or_gzip(path) as file:
            return file.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf")
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read: {cause_of(error)}") from error


def whole_bytes(path: Path) -> bytes:
    """All bytes of a file, unpacked.

    Raises:
        InputError: it cannot be read, or unpacks to more than `MAX_WHOLE_BYTES`.
    """
    try:
        with open_plain_or_gzip(path) as file:
            content = file.read(MAX_WHOLE_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read: {cause_of(error)}") from error
    if len(content) > MAX_WHOLE_BYTES:
        raise InputError(f"{path}: takes more than {MAX_WHOLE_BYTES} bytes; cut it into several files")
    return content


def whole_text(path: Path) -> str:
    """All text of a file, line ends as they are, without a byte order mark.

    Raises:
        InputError: as `whole_bytes`, or it is not UTF-8; the message names the line.
    """
    content = whole_bytes(path).removeprefix(b"\xef\xbb\xbf")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}, line {line}: not UTF-8 at byte {error.start}; convert the file to UTF-8") from None
