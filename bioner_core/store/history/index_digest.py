"""Whether a document index is the one that was written: of the shards at hand, and with no bit of it changed.

A snapshot is made by what document indexes say, and DuckDB reads them without a look at checksums. So each has a file
beside it, `register/<input key>.sha256`, with the state of the shards that it was made from and its own digest.
"""

from pathlib import Path

from bioner_core.file_digest import sha256_of_file
from bioner_core.store.atomic import write_text


def note_digest(index: Path, state: str) -> None:
    """Write down that this file, as it is now, is the index of these shards.

    Raises:
        StoreError: the folder cannot be written.
    """
    write_text(_path(index), f"{state} {sha256_of_file(index)}\n")


def is_as_written(index: Path, state: str) -> bool:
    """Whether the index is of these shards, and its bytes are those that were written; reads all of it."""
    try:
        return _path(index).read_text(encoding="utf-8").split() == [state, sha256_of_file(index)]
    except (OSError, UnicodeDecodeError):  # there is none, or nothing vouches for it: it is made anew
        return False


def _path(index: Path) -> Path:
    return index.with_suffix(".sha256")
