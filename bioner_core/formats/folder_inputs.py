"""Which files a pattern means, on this machine and in buckets, and what of a folder is dumps.

Those are files that a reader knows, and files that are named like those; the rest is only named.

A file that a user names, by a path, a glob or a URL, is always an input, whatever it holds.
"""

import glob
import os
import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

from bioner_core.errors import InputError, MissingInputError
from bioner_core.formats.buckets import bucket_files, is_bucket
from bioner_core.formats.inputs import COMPANIONS, files_below, is_url, outside_stores, public_name
from bioner_core.formats.registry import reader_for
from bioner_core.formats.stream import DumpStream, opened
from bioner_core.spoken import spoken_count

_ASIDE = re.compile(
    r"(read[-_ ]?me|licen[cs]e|copying|notice|change(s|log)|index|manifest)(\..*)?$|thumbs\.db$|desktop\.ini$|.*\.md$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FoundInputs:
    """`files` are to be read; `unread` lie in a folder that was named, and no reader knows them. Both are sorted."""

    files: tuple[str, ...]
    unread: tuple[str, ...] = ()


def find_inputs(patterns: Sequence[str], *, format_name: str | None = None) -> FoundInputs:
    """As `expand_inputs`, but of a folder only what a reader knows by its content.

    A file of a folder that is empty, damaged or has the suffix of one that is known is an input all the same, so that a
    dump that broke is a reject and not a note; unless it is named like a README or a file of Windows. With
    `format_name` every file is one.

    Raises:
        InputError: a pattern names nothing, a file cannot be opened, or no reader knows any file of a folder.
    """
    folders = [] if format_name else [one for one in patterns if Path(one).is_dir()]
    named = [one for one in patterns if one not in folders]
    found = set(expand_inputs(named)) if named else set()
    unread: set[str] = set()
    for folder in folders:
        files, others = _parted(expand_inputs([folder]))
        if not files:
            raise InputError(
                f"{public_name(folder)!r} holds {spoken_count(len(others), 'file')}, but none that a reader knows. "
                "Name the files themselves, or the reader with --format (text, if they are plain text: one document "
                "per file)"
            )
        found.update(files)
        unread.update(others)
    return FoundInputs(tuple(sorted(found)), tuple(sorted(unread - found)))


def _parted(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those that are dumps, and those that are not."""
    looks = {name: look_at(name) for name in names}
    suffixes = {suffix_of(name) for name, found in looks.items() if found.is_dump}
    others = [name for name, found in looks.items() if not found.counts_among(suffixes)]
    return [name for name in names if name not in others], others


@dataclass(frozen=True, slots=True)
class FileLook:
    """What a file of a folder looks like from its first bytes.

    `source` is the partition of its reader, empty where none knows it. `is_dump`: a reader knows it, or it is empty or
    damaged; `is_aside`: it is named like what lies beside dumps (a README, Windows' own files), and no reader knows it.
    """

    name: str
    source: str
    is_dump: bool
    is_aside: bool

    def counts_among(self, suffixes: Container[str]) -> bool:
        """Whether it is an input in a folder whose dumps have these suffixes: a dump that broke is one too."""
        return self.is_dump or (not self.is_aside and suffix_of(self.name) in suffixes)


def look_at(name: str) -> FileLook:
    """Look at the start of a file.

    Raises:
        InputError: it cannot be opened.
    """
    with opened(name) as raw:
        stream = DumpStream(raw)
        reader = reader_for(stream.head)
        aside = reader is None and _ASIDE.match(Path(name).name) is not None
        odd = stream.fault is not None or not stream.head.strip()
        return FileLook(name, reader.source if reader else "", reader is not None or (odd and not aside), aside)


def suffix_of(name: str) -> str:
    """The last two suffixes of a name, in lower case: what files of one kind have in common."""
    return "".join(Path(name).suffixes[-2:]).lower()


def expand_inputs(patterns: Sequence[str]) -> list[str]:
    """The files that patterns name: paths, folders (all files below them), globs (`**` too), of buckets also prefixes;
    other URLs as they are.

    Sorted, each once. Below a folder or prefix, hidden files, `.md5` companions and the files of stores are left out;
    symbolic links are followed (`files_below`).

    Raises:
        MissingInputError: a pattern names nothing; the message names it.
        InputError: a bucket cannot be asked, or a folder not be listed.
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
    return outside_stores([name for name in files_below(match) if not name.endswith(COMPANIONS)])
