"""Line-tagged exports (NoteExpress, RefWorks, EndNote, E-Study): lines to fields, fields to documents.

A record begins at its start tag. A line that begins with a known tag begins a field; any other line goes on with the
field before it. What differs between the formats is in their modules: the tags, and what each tag means.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import ClassVar

from bioner_core.documents import Document
from bioner_core.formats.contract import (
    MAX_RECORD_BYTES,
    ByteSource,
    Origin,
    PendingRecord,
    Reader,
    RecordFault,
)
from bioner_core.formats.encoding import decoded_text, head_lines
from bioner_core.formats.export_record import FieldRoles, FieldValues, export_document
from bioner_core.formats.languages import detect_language
from bioner_core.formats.web_page import behind_page, without_list_markup
from bioner_core.records import RejectReason

_FILE_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_UNSPACED = re.compile("[\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003fffd]")


class TaggedReader(Reader):
    """A reader of line-tagged text; a subclass states its tags.

    `tag_line` matches a line that begins a field, with the groups `tag` and `value`; `start_tags` are the tags that may
    begin a record, of which the first one in a file is the one that does so there. Lines that `ignored_lines` matches
    whole belong to no record (rules between records, a file's heading). Where `indented_lines_continue`, a line that
    begins with a blank never begins a field.
    """

    tag_line: ClassVar[re.Pattern[str]]
    start_tags: ClassVar[frozenset[str]]
    roles: ClassVar[FieldRoles]
    ignored_lines: ClassVar[re.Pattern[str] | None] = None
    indented_lines_continue: ClassVar[bool] = False

    def recognises(self, head: bytes) -> bool:
        """Whether the first line that is not ignored begins a record of this format."""
        return self._starts(next(self._lines(head_lines(head)), "-"))

    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        """Walk the records in file order; lines before the first record are a record that cannot be used.

        Raises:
            FileFault: no encoding fits, or the file breaks off; then the record that is still open is not given.
        """
        with decoded_text(stream) as text:
            held: _OpenRecord | None = None
            start = ""
            for line in self._lines(text.lines):
                match = self._tag(line)
                if match and match["tag"] in self.start_tags and start in ("", match["tag"]):
                    start = match["tag"]
                    if held is not None:
                        yield self._pending(held)
                    held = _OpenRecord()
                held = held or _OpenRecord(headless=True)
                held.add(line, match)
            # Where the file breaks off, nobody can tell whether the last record is whole.
            if text.fault is not None:
                raise text.fault
            if held is not None:
                yield self._pending(held)

    def values(self, fields: FieldValues) -> FieldValues:
        """The values of a record's fields, by which `roles` finds its text; a format may take a field apart here."""
        return fields

    def _tag(self, line: str) -> re.Match[str] | None:
        if self.indented_lines_continue and line[0].isspace():
            return None
        return self.tag_line.match(line.lstrip())

    def _starts(self, line: str) -> bool:
        """Whether a line begins a record."""
        match = self._tag(line)
        return match is not None and match["tag"] in self.start_tags

    def _lines(self, lines: Iterable[str]) -> Iterator[str]:
        """Lines with something on them, from the first record on where a page's script or markup stands before it."""
        return behind_page(self._trimmed(lines), starts=lambda line: bool(line) and self._starts(line))

    def _trimmed(self, lines: Iterable[str]) -> Iterator[str]:
        """Lines without page markup around them; `<br>`, which one of CNKI's services writes, ends a line."""
        for line in lines:
            for piece in _FILE_LINE_BREAK.split(without_list_markup(line)) if "<" in line else (line,):
                trimmed = piece.rstrip().removeprefix("\ufeff")
                if trimmed and not (self.ignored_lines and self.ignored_lines.fullmatch(trimmed)):
                    yield trimmed

    def _pending(self, record: "_OpenRecord") -> PendingRecord:
        return partial(self._build, record)

    def _build(self, record: "_OpenRecord", origin: Origin) -> Document:
        if record.too_large:
            raise RecordFault(RejectReason.TOO_LARGE, f"the record takes more than {MAX_RECORD_BYTES} characters")
        if record.headless:
            raise RecordFault(RejectReason.MALFORMED, "lines stand before the first record's start tag")
        return export_document(self.values(record.values()), self.roles, origin=origin)


def tag_pattern(tags: Iterable[str]) -> str:
    """A pattern for any of some tags, the longest first."""
    return "|".join(re.escape(tag) for tag in sorted(tags, key=len, reverse=True))


def joined_lines(first: str, following: Sequence[str]) -> str:
    """One value from its wrapped lines: English with a blank between them, Chinese without.

    In Chinese text a blank stands only between letters or digits that are not Chinese, one a letter at least: a wrap
    between two Latin words, of which the first may end in a digit (`p53`).
    """
    pieces = [piece for line in (first, *following) if (piece := line.strip())]
    if len(pieces) < 2:
        return "".join(pieces)
    if detect_language("".join(pieces)) == "en":
        return " ".join(pieces)
    glued = (piece if not _between_words(before, piece) else " " + piece for before, piece in pairwise(pieces))
    return "".join((pieces[0], *glued))


def _between_words(before: str, after: str) -> bool:
    edges = (before[-1], after[0])
    return any(one.isalpha() for one in edges) and all(one.isalnum() and not _UNSPACED.match(one) for one in edges)


class _OpenRecord:
    """The fields of a record while its lines come in; past the cap on its size nothing more is kept."""

    def __init__(self, *, headless: bool = False) -> None:
        self.headless = headless
        self.size = 0
        self._fields: list[tuple[str, str, list[str]]] = []

    @property
    def too_large(self) -> bool:
        return self.size > MAX_RECORD_BYTES

    def add(self, line: str, match: re.Match[str] | None) -> None:
        self.size += len(line)
        if self.too_large:
            self._fields.clear()
        elif match is not None:
            self._fields.append((match["tag"], match["value"], []))
        elif self._fields:
            self._fields[-1][2].append(line)

    def values(self) -> dict[str, list[str]]:
        """The values that each tag has, in file order, empty ones left out."""
        found: dict[str, list[str]] = {}
        for tag, first, following in self._fields:
            if value := joined_lines(first, following):
                found.setdefault(tag, []).append(value)
        return found
