"""Files that are plain or packed with gzip, told by their first bytes, whatever they are called."""

import gzip
from pathlib import Path
from typing import BinaryIO, cast

GZIP_MAGIC = b"\x1f\x8b"
"""The first bytes of a file that gzip has packed."""


def open_plain_or_gzip(path: Path) -> BinaryIO:
    """The file's bytes, unpacked. Reading raises OSError, EOFError or `zlib.error` where gzip's data are damaged.

    Raises:
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        is_packed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    return cast(BinaryIO, gzip.open(path)) if is_packed else path.open("rb")
