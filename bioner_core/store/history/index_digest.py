"""Whether a document index is the one that was written: of the shards at hand, and with no bit of it changed.

A snapshot is made by what document indexes say, and DuckDB reads them without a look at checksums. So each has a file
beside it, `register/<input key>.sha256`, with the state of the shards that it was made from and its own digest.
"""

from pathlib import Path

from bioner_core.file_digest import sha256_of_file
from bioner_core.store.atomic import write_text
from bioner_core.store.paths import StorePath


def note_digest(index: StorePath, state: str, *, digest: str = "") -> None:
    """Write down that this file, as it is now, is the index of these shards; `digest` is its own, where it is known.

    Raises:
        StoreError: the folder cannot be written.
    """
    write_text(_path(index), f"{state} {digest or sha256_of_file(index)}\n")


def is_as_written(index: StorePath, state: str, *, content: Path | None = None) -> bool:
    """Whether the index is of these shards, and its bytes are those that were written; reads all of it.

    They are read from `content`, where it was fetched to one.
    """
    try:
        return _path(index).read_text(encoding="utf-8").split() == [state, sha256_of_file(content or index)]
    except (OSError, UnicodeDecodeError):  # there is none, or nothing vouches for it: it is made anew
        return False


def _path(index: StorePath) -> StorePath:
    return index.with_suffix(".sha256")
