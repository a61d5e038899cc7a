"""The lines of a vocabulary file, plain or gzip, UTF-8, with bounds that no honest file passes."""

import zlib
from collections.abc import Iterator
from pathlib import Path

from bioner_core.errors import InputError
from bioner_core.gzip_file import open_plain_or_gzip

LONGEST_LINE = 4_000_000
"""Bytes. One MeSH or HGNC line has some thousands."""


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Each line without its end, with its number from 1.

    Raises:
        InputError: the file cannot be read, is no UTF-8, or has a line without end; the message names file and line.
    """
    number = 0
    try:
        with open_plain_or_gzip(path) as stream:
            while line := stream.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE:
                    raise InputError(f"{path}, line {number}: has more than {LONGEST_LINE} bytes")
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}, line {number}: is no UTF-8 (byte {error.start + 1} of the line); convert the file, for instance "
            "with iconv -f GB18030 -t UTF-8"
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read after line {number} ({error})") from error
