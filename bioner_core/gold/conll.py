"""CoNLL: a token per line, columns with tabs or blanks, the tag in the last one, an empty line after a sentence.

Tags are IOB1, BIO, BIOES or BILOU. Columns 2 and 3 of what `bioner export` writes are offsets, so its texts come back
as they were, but that all blanks are spaces and those at the end are gone. Elsewhere the text is the tokens with a
space between them, none between two Chinese characters. A line that begins with `#` and has no tag is a comment.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bioner_core.errors import InputError
from bioner_core.formats.languages import detect_language
from bioner_core.gold.files import whole_text
from bioner_core.gold.placing import Mark, joined_passages, placed_record
from bioner_core.gold.record import ImportedRecord
from bioner_core.mentions import Span

_TAG = re.compile(r"(?P<part>[BIESUL])-(?P<type>\S+)|[O_]")
_JSON = re.compile(rb'\s*[\[{]\s*["\[{\]}]')
_DOCUMENT = "-DOCSTART-"
_ENDING = frozenset("ESUL")
_STARTING = frozenset("BSU")
_EXPORTED_COLUMNS = 4
_LONGEST_NUMBER = 9
_WIDEST_GAP = 10_000
"""Characters between two tokens of an export; an offset alone must not make a text of a gigabyte of blanks."""


@dataclass(slots=True)
class _Token:
    text: str
    tag: str
    line: int
    edges: tuple[int, int] | None


@dataclass(slots=True)
class _Text:
    """The tokens of one passage or sentence."""

    record_id: str
    tokens: list[_Token] = field(default_factory=list)


class ConllForm:
    """Reads CoNLL files with one column of tags."""

    name = "conll"

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether it begins as a document of an export, or the first line with a token ends in a tag of the kind."""
        if head.startswith(_DOCUMENT.encode()):
            return True
        if _JSON.match(head):
            return False
        lines = (line.removesuffix("\r") for line in head.decode("utf-8", errors="replace").split("\n"))
        first = next((line for line in lines if line.strip() and not _is_comment(line)), "")
        return _is_tagged(_columns(first))

    def read(self, path: Path) -> Iterator[ImportedRecord]:
        """Of an export a record for each document, else one for each sentence.

        Raises:
            InputError: a line has no tag, or offsets that go back; the message names file and line.
        """
        held: list[_Text] = []
        for found in _texts(path):
            if held and held[-1].record_id != found.record_id:
                yield _record(held, path)
                held = []
            held.append(found)
        if held:
            yield _record(held, path)


def _texts(path: Path) -> Iterator[_Text]:
    """The passages of an export, or the sentences of any other file."""
    document, passage_known = "", False
    held = _Text("")
    count = 0
    for number, line in enumerate(whole_text(path).split("\n"), start=1):
        line = line.removesuffix("\r")
        if _is_comment(line):
            continue
        if line.startswith(_DOCUMENT):
            if held.tokens:
                yield held
            columns = line.split("\t")
            passage_known = len(columns) == _EXPORTED_COLUMNS
            document = columns[1] if passage_known else ""
            held = _Text(document)
        elif line.strip():
            token = _token(line, f"{path}, line {number}", number, exported=passage_known)
            held.tokens.append(token)
        elif held.tokens and not passage_known:
            count += 1
            held.record_id = f"{path.name}:{count}"
            yield held
            held = _Text("")
    if held.tokens:
        held.record_id = held.record_id or f"{path.name}:{count + 1}"
        yield held


def _token(line: str, where: str, number: int, *, exported: bool) -> _Token:
    columns = _columns(line)
    if not _is_tagged(columns):
        raise InputError(f"{where}: {line[:60]!a} has no tag; its last column must be O, or B-, I-, E-, S- and a type")
    tag = columns[-1].strip()
    if not exported:
        if not columns[0].strip():
            raise InputError(f"{where}: {line[:60]!a} has no token in its first column")
        return _Token(columns[0].strip(), tag, number, None)
    edges = columns[1:3]
    if len(columns) != _EXPORTED_COLUMNS or not all(
        one.isascii() and one.isdecimal() and len(one) <= _LONGEST_NUMBER for one in edges
    ):
        raise InputError(f"{where}: {line[:60]!a} has no offsets in columns 2 and 3, as the lines of an export have")
    return _Token(columns[0], tag, number, (int(edges[0]), int(edges[1])))


def _columns(line: str) -> list[str]:
    return line.split("\t") if "\t" in line else line.split()


def _is_comment(line: str) -> bool:
    # A token may begin with # itself: taken for a comment, it would be lost without a word.
    return line.startswith("#") and "\t" not in line and not _is_tagged(line.split())


def _is_tagged(columns: list[str]) -> bool:
    return len(columns) > 1 and _TAG.fullmatch(columns[-1].strip()) is not None


def _record(texts: Iterable[_Text], path: Path) -> ImportedRecord:
    laid_out = [(one, *_laid_out(one.tokens, path)) for one in texts]
    text, starts = joined_passages(part for _, part, _ in laid_out)
    marks = [
        Mark(((span.start + start, span.end + start),), span.type, f"{path}, line {line}")
        for (one, _, edges), start in zip(laid_out, starts, strict=True)
        for span, line in _spans(one.tokens, edges)
    ]
    return placed_record(laid_out[-1][0].record_id if laid_out else "", text, marks=marks)


def _laid_out(tokens: list[_Token], path: Path) -> tuple[str, list[tuple[int, int]]]:
    """The text of the tokens, and the edges of each in it."""
    pieces: list[str] = []
    edges: list[tuple[int, int]] = []
    end = 0
    before = ""
    for token in tokens:
        start = end + _gap(before, token.text) if token.edges is None else token.edges[0]
        is_off = not end <= start <= end + _WIDEST_GAP
        if token.edges is not None and (is_off or token.edges[1] - start != len(token.text)):
            raise InputError(
                f"{path}, line {token.line}: offsets {token.edges} do not fit the token {token.text!a:.60}"
            )
        pieces += [" " * (start - end), token.text]
        end = start + len(token.text)
        edges.append((start, end))
        before = token.text
    return "".join(pieces), edges


def _gap(before: str, text: str) -> int:
    """How many blanks stand between two tokens."""
    if not before:
        return 0
    return int(not (detect_language(before[-1]) == detect_language(text[0]) == "zh"))


def _spans(tokens: list[_Token], edges: list[tuple[int, int]]) -> Iterator[tuple[Span, int]]:
    """The spans that the tags say, each with the line of its first token."""
    held: Span | None = None
    line = 0
    for token, (start, end) in zip(tokens, edges, strict=True):
        match = _TAG.fullmatch(token.tag)
        part, name = (match["part"], match["type"]) if match else (None, None)
        goes_on = held is not None and part is not None and part not in _STARTING and name == held.type
        if held is not None and goes_on:
            held = Span(held.start, end, held.type)
        else:
            if held is not None:
                yield held, line
            held, line = (Span(start, end, name) if name else None), token.line
        if held is not None and part in _ENDING:
            yield held, line
            held = None
    if held is not None:
        yield held, line
