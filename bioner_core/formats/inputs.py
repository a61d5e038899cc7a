"""Naming inputs: which files a pattern means, and how a file may be named in public."""

import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from bioner_core.errors import MissingInputError

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_BUCKET_CREDENTIALS = re.compile(r"^(s3[a-z]?://)[^/@:]+:.+@")
_COMPANIONS = (".md5",)


def is_url(name: str) -> bool:
    """Whether a name is a URL and not a local path."""
    return _URL.match(name) is not None


def public_name(input_file: str) -> str:
    """The name of an input for logs, rejects and stored metadata.

    Credentials, query and fragment of a URL are left out; bytes of a local name that are not text are replaced.
    """
    if not is_url(input_file):
        return os.fsencode(input_file).decode(errors="replace")
    parts = urlsplit(_BUCKET_CREDENTIALS.sub(r"\1", input_file))
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def expand_inputs(patterns: Sequence[str]) -> list[str]:
    """The files that patterns name: paths, folders (all files below them), globs (`**` too), URLs as they are.

    Sorted, each once. Below a folder, hidden files and `.md5` companions are left out.

    Raises:
        MissingInputError: a pattern names nothing; the message names it.
    """
    return sorted({name for pattern in patterns for name in _expanded(pattern)})


def _expanded(pattern: str) -> list[str]:
    if is_url(pattern):
        return [pattern]
    matches = [pattern] if Path(pattern).exists() else glob.glob(pattern, recursive=True)
    names = [name for match in matches for name in _files_of(match)]
    if not names:
        raise MissingInputError(f"{public_name(pattern)!r} names no file; check the path or quote the pattern")
    return names


def _files_of(match: str) -> list[str]:
    if not os.path.isdir(match):
        return [match]
    found: list[str] = []
    for folder, subfolders, names in os.walk(match):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        kept = [name for name in names if not name.startswith(".") and not name.endswith(_COMPANIONS)]
        found.extend(os.path.join(folder, name) for name in kept)
    return found
