"""Line-tagged exports (NoteExpress, RefWorks, EndNote, E-Study): lines to fields, fields to documents.

A record begins at its start tag. A line that begins with a known tag begins a field; any other line goes on with the
field before it. What differs between the formats is in their modules: the tags, and what each tag means.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import ClassVar

from bioner_core.documents import Document, DocumentMeta, Passage
from bioner_core.formats.contract import (
    MAX_RECORD_BYTES,
    ByteSource,
    Origin,
    PendingRecord,
    Reader,
    RecordFault,
)
from bioner_core.formats.encoding import decoded_text, first_line
from bioner_core.formats.export_text import abstract_text, plain_text
from bioner_core.formats.identity import RecordNames, document_id, public_ids
from bioner_core.formats.languages import detect_language
from bioner_core.records import RejectReason

_FILE_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_KEYWORD_BREAK = re.compile(r"[;；\n]+")
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
_UNSPACED = re.compile("[\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003fffd]")

Field = tuple[str, str]
"""A tag and its value, wrapped lines joined."""


@dataclass(frozen=True, slots=True)
class FieldRoles:
    """Which tags of a format say what; where several may, the first that has a value counts."""

    title: str
    abstract: str
    keywords: str
    journal: tuple[str, ...]
    year: tuple[str, ...]
    doi: tuple[str, ...]
    link: tuple[str, ...]


class TaggedReader(Reader):
    """A reader of line-tagged text; a subclass states its tags.

    `tag_line` matches a line that begins a field, with the groups `tag` and `value`; `start_tags` are the tags that may
    begin a record, of which the first one in a file is the one that does so there.
    """

    tag_line: ClassVar[re.Pattern[str]]
    start_tags: ClassVar[frozenset[str]]
    roles: ClassVar[FieldRoles]

    def recognises(self, head: bytes) -> bool:
        """Whether the first line of the file begins a record of this format."""
        match = self.tag_line.match(first_line(head))
        return match is not None and match["tag"] in self.start_tags

    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        """Walk the records in file order; lines before the first record are a record that cannot be used."""
        with decoded_text(stream) as text:
            held: _OpenRecord | None = None
            start = ""
            for line in _lines(text.lines):
                match = self.tag_line.match(line)
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

    def _pending(self, record: "_OpenRecord") -> PendingRecord:
        return partial(_build, record, self.roles)


def tag_pattern(tags: Iterable[str]) -> str:
    """A pattern for any of some tags, the longest first."""
    return "|".join(re.escape(tag) for tag in sorted(tags, key=len, reverse=True))


def joined_lines(first: str, following: Sequence[str]) -> str:
    """One value from its wrapped lines: English with a blank between them, Chinese without.

    In Chinese text a blank stands only between two letters that are not Chinese: a wrap between two Latin words.
    """
    pieces = [piece for line in (first, *following) if (piece := line.strip())]
    if len(pieces) < 2:
        return "".join(pieces)
    if detect_language("".join(pieces)) == "en":
        return " ".join(pieces)
    glued = (piece if not _between_words(before, piece) else " " + piece for before, piece in pairwise(pieces))
    return "".join((pieces[0], *glued))


def _between_words(before: str, after: str) -> bool:
    return (
        before[-1].isalpha()
        and after[0].isalpha()
        and not _UNSPACED.match(before[-1])
        and not _UNSPACED.match(after[0])
    )


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


def _lines(lines: Iterable[str]) -> Iterator[str]:
    """Lines with something on them; `<br>`, which one of CNKI's services writes for a line end, ends a line."""
    for line in lines:
        for piece in _FILE_LINE_BREAK.split(line) if "<" in line else (line,):
            if stripped := piece.strip().lstrip("\ufeff"):
                yield stripped


def _build(record: _OpenRecord, roles: FieldRoles, origin: Origin) -> Document:
    if record.too_large:
        raise RecordFault(RejectReason.TOO_LARGE, f"the record takes more than {MAX_RECORD_BYTES} characters")
    if record.headless:
        raise RecordFault(RejectReason.MALFORMED, "lines stand before the first record's start tag")
    values = record.values()
    titles = [plain_text(value) for value in values.get(roles.title, ())]
    abstracts = [abstract_text(value) for value in values.get(roles.abstract, ())]
    passages = _passages("title", titles) + _passages("abstract", abstracts)
    names = _names(values, roles, title=" ".join(titles) or " ".join(abstracts))
    if not passages:
        raise RecordFault(
            RejectReason.NO_TEXT, "neither title nor abstract has text", doc_id=document_id(origin.source, names)
        )
    return Document(
        doc_id=document_id(origin.source, names),
        source=origin.source,
        version=1,
        lang=detect_language("".join(passage.text for passage in passages)),
        passages=passages,
        meta=DocumentMeta(
            ids=public_ids(origin.source, names),
            journal=names.journal,
            year=names.year,
            keywords=_keywords(values.get(roles.keywords, ())),
            input_file=origin.input_file,
            record_number=origin.record_number,
        ),
    )


def _passages(section: str, texts: Iterable[str]) -> tuple[Passage, ...]:
    return tuple(Passage(section, "", detect_language(text), text) for text in texts if text)


def _names(values: dict[str, list[str]], roles: FieldRoles, *, title: str) -> RecordNames:
    year = _YEAR.search(_first(values, roles.year))
    return RecordNames(
        title=title,
        journal=plain_text(_first(values, roles.journal)),
        year=year.group() if year else "",
        doi=_first(values, roles.doi),
        link=plain_text(_first(values, roles.link)),
    )


def _first(values: dict[str, list[str]], tags: Iterable[str]) -> str:
    return next((values[tag][0] for tag in tags if tag in values), "")


def _keywords(values: Iterable[str]) -> tuple[str, ...]:
    pieces = (piece.strip() for value in values for piece in _KEYWORD_BREAK.split(plain_text(value)))
    return tuple(piece for piece in pieces if piece)
