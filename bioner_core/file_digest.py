"""By what a file is known to be unchanged."""

import hashlib
import io
from pathlib import Path
from typing import Literal, Protocol


class Readable(Protocol):
    """What can be opened to be read: the path of a file, or of an object."""

    def open(self, mode: Literal["rb"], /) -> io.BufferedReader:
        """The bytes."""
        ...


def sha256_of_file(path: Readable) -> str:
    """The sha256 of a file's bytes, in hex.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_of(path: Path) -> str:
    """The sha256 of a file; of a folder that of its files' names and digests, by name.

    Raises:
        OSError: it cannot be read.
    """
    if not path.is_dir():
        return sha256_of_file(path)
    digest = hashlib.sha256()
    for one in sorted(one for one in path.rglob("*") if one.is_file()):
        digest.update(f"{one.relative_to(path).as_posix()}\0{sha256_of_file(one)}\n".encode())
    return digest.hexdigest()
