"""Which files a pattern means, on this machine and in buckets."""

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from bioner_core.errors import MissingInputError
from bioner_core.formats.buckets import bucket_files, is_bucket
from bioner_core.formats.inputs import COMPANIONS, is_url, public_name


def expand_inputs(patterns: Sequence[str]) -> list[str]:
    """The files that patterns name: paths, folders (all files below them), globs (`**` too), of buckets also prefixes;
    other URLs as they are.

    Sorted, each once. Below a folder or prefix, hidden files and `.md5` companions are left out.

    Raises:
        MissingInputError: a pattern names nothing; the message names it.
        InputError: a bucket cannot be asked.
    """
    return sorted({name for pattern in patterns for name in _expanded(pattern)})


def _expanded(pattern: str) -> list[str]:
    if is_url(pattern):
        return bucket_files(pattern) if is_bucket(pattern) else [pattern]
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
        kept = [name for name in names if not name.startswith(".") and not name.endswith(COMPANIONS)]
        found.extend(os.path.join(folder, name) for name in kept)
    return found
