"""What a web page leaves around the records of an export: scripts before the first one, markup of lists around each."""

import re
from collections.abc import Callable, Iterator

MOST_SCRIPT_CHARACTERS = 64 * 1024
"""How much of a page may stand before the first record."""

_LIST_TAGS = "ul|ol|li|div|span|pre|p|body|html|head|table|tbody|tr|td"
_MARKUP_BEFORE = re.compile(rf"^\s*(?:<(?:{_LIST_TAGS})\b[^<>]{{0,500}}>\s*)+", re.IGNORECASE)
_MARKUP_BEHIND = re.compile(rf"(?:\s*</(?:{_LIST_TAGS})\s*>)+\s*$", re.IGNORECASE)
_PAGE = re.compile(r"\s*(?:[;(!]|<script\b|<!DOCTYPE\s+html|<!--|var\s|function\b|window\.|\$\()", re.IGNORECASE)
_BEFORE_RECORD = re.compile(r"(?<=[;>})])\s*(?=[^\s;>})])")


def without_list_markup(line: str) -> str:
    """A line without the tags of lists and blocks that open before its text and close behind it."""
    return _MARKUP_BEHIND.sub("", _MARKUP_BEFORE.sub("", line))


def behind_page(lines: Iterator[str], *, starts: Callable[[str], bool]) -> Iterator[str]:
    """The lines from the first record on, where what stands before it is a page's script; else all lines.

    `starts` tells whether a line begins a record. A record may begin behind the script on the same line.
    """
    first = next(lines, None)
    if first is None:
        return
    if starts(first) or not _PAGE.match(first):
        yield first
        yield from lines
        return
    passed: list[str] = []
    size = 0
    line: str | None = first
    while line is not None and size <= MOST_SCRIPT_CHARACTERS:
        if (record := _record_in(line, starts)) is not None:
            yield record
            yield from lines
            return
        passed.append(line)
        size += len(line)
        line = next(lines, None)
    # No record follows: whatever this is, it is not passed over in silence.
    yield from passed
    if line is not None:
        yield line
        yield from lines


def _record_in(line: str, starts: Callable[[str], bool]) -> str | None:
    """The record that begins in a line, at its start or behind the end of a script."""
    if starts(line):
        return line
    places = (match.end() for match in _BEFORE_RECORD.finditer(line[:MOST_SCRIPT_CHARACTERS]))
    return next((line[place:] for place in places if starts(line[place:])), None)
