"""What of a folder is dumps: files that a reader knows, and files that are named like those; the rest is only named.

A file that a user names, by a path, a glob or a URL, is always an input, whatever it holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bioner_core.errors import InputError
from bioner_core.formats.inputs import expand_inputs, public_name
from bioner_core.formats.registry import reader_for
from bioner_core.formats.stream import DumpStream, opened


@dataclass(frozen=True, slots=True)
class FoundInputs:
    """`files` are to be read; `unread` lie in a folder that was named, and no reader knows them. Both are sorted."""

    files: tuple[str, ...]
    unread: tuple[str, ...] = ()


def find_inputs(patterns: Sequence[str], *, format_name: str | None = None) -> FoundInputs:
    """As `expand_inputs`, but of a folder only what a reader knows by its content.

    A file of a folder that is empty, damaged or has the suffix of one that is known is an input all the same, so that a
    dump that broke is a reject and not a note. With `format_name` every file is one.

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
                f"{public_name(folder)!r} holds {len(others)} files, and no reader knows any of them. Name the files "
                "themselves, or the reader with --format (text, if they are plain text, one document each)"
            )
        found.update(files)
        unread.update(others)
    return FoundInputs(tuple(sorted(found)), tuple(sorted(unread - found)))


def _parted(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those that are dumps, and those that are not."""
    strangers = {name for name in names if not _is_known(name)}
    suffixes = {_suffix(name) for name in names if name not in strangers}
    others = [name for name in names if name in strangers and _suffix(name) not in suffixes]
    return [name for name in names if name not in others], others


def _is_known(name: str) -> bool:
    with opened(name) as raw:
        stream = DumpStream(raw)
        return stream.fault is not None or not stream.head.strip() or reader_for(stream.head) is not None


def _suffix(name: str) -> str:
    return "".join(Path(name).suffixes[-2:]).lower()
