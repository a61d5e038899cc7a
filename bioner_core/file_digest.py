"""By what a file on this machine is known to be unchanged."""

import hashlib
from pathlib import Path


def sha256_of_file(path: Path) -> str:
    """The sha256 of a file's bytes, in hex.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
