"""Elements of an XML file, one at a time, from a parser that expands, loads and fetches nothing.

What is joined with `cat`, or fetched in batches, is several documents: each is parsed by itself, one after another.

libxml2's own limits stay on: a text of at most 10 MB and a depth of at most 256 elements.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import NoReturn, cast

from lxml import etree

from bioner_core.formats.contract import MAX_RECORD_BYTES, ByteSource, FileFault, Origin, PendingRecord, RecordFault
from bioner_core.formats.xml_text import Element
from bioner_core.records import RejectReason

_PLACE = re.compile(r",? line \d+(?:, column \d+)?\b")
_EXTRA_CONTENT = (5, 64)
"""libxml2's codes for content behind the root, and for an XML declaration that is not at the start."""
_HELD_BYTES = 4096
"""How much of what went before is kept at least, to look for the end of a document in."""

_DECLARATION_BYTES = 8
"""Fewer bytes than it takes to tell a declaration: what may stand of one at the end of a piece."""

_NEXT_DECLARATION = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml\s")
_NEXT_DOCUMENT = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<[!?A-Za-z_]")
_REASONS = {
    etree.ErrorTypes.ERR_RESOURCE_LIMIT: RejectReason.TOO_LARGE,
    etree.ErrorTypes.ERR_INVALID_ENCODING: RejectReason.BAD_ENCODING,
}


class AnotherDocument(FileFault):
    """Behind a whole XML document, or behind one that breaks off, another one begins.

    `content` are the bytes of it that have been taken from the pieces; `broken` is true where the first one has no end.
    """

    def __init__(self, message: str, content: bytes, *, broken: bool) -> None:
        super().__init__(RejectReason.TRUNCATED if broken else RejectReason.MALFORMED, message)
        self.content = content
        self.broken = broken


def finished_elements(pieces: Iterable[bytes], tags: tuple[str, ...], *, root: str = "") -> Iterator[etree._Element]:
    """The elements of some tags, each when it ends: in file order, an inner one before the one that holds it.

    `{*}name` is a tag in any namespace. An element is whole, and stays in the tree until `release` frees it. `root` is
    the local name of the root element, by whose end tag another document behind it is found.

    Raises:
        AnotherDocument: after the last element of the document, where another one follows it.
        FileFault: after the last element before the fault: the XML is damaged or ends early, or more than
            `MAX_RECORD_BYTES` pass without the end of one of these elements.
    """
    parser = _parser(tags)
    unfinished, before = 0, b""
    rest = iter(pieces)
    for piece in rest:
        failure = _feed(parser, piece)
        unfinished += len(piece)
        ended = 0
        for _, element in parser.read_events():
            unfinished, ended = 0, ended + 1
            yield cast(etree._Element, element)
        if failure is not None:
            unread = unfinished or _behind(piece, tags, ended)
            raise _fault(failure, before + piece, rest, root=root, unread=unread)
        if unfinished > MAX_RECORD_BYTES:
            raise FileFault(
                RejectReason.TOO_LARGE, f"a record takes more than {MAX_RECORD_BYTES} bytes", unread_bytes=unfinished
            )
        before = piece if len(piece) >= _HELD_BYTES else (before + piece)[-_HELD_BYTES:]
    try:
        parser.close()
    except etree.XMLSyntaxError as failure:
        message = f"XML ends early: {_without_place(failure.msg)}"
        unread = unfinished + _behind(before, tags, ended=1 if not unfinished else 0)
        raise FileFault(RejectReason.TRUNCATED, message, unread_bytes=unread) from None


def _parser(tags: tuple[str, ...]) -> etree.XMLPullParser:
    return etree.XMLPullParser(
        events=("end",),
        tag=tags,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def release(element: etree._Element) -> None:
    """Free all that stands before an element under its parent; the element itself goes with the next one."""
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why the parser stopped: libxml2's code and words."""

    code: int
    message: str


def _feed(parser: etree.XMLPullParser, piece: bytes) -> _Failure | None:
    """Parse a piece; a failure is returned, not raised, because elements that ended before it are still to be read."""
    try:
        parser.feed(piece)
    except etree.XMLSyntaxError as error:
        return _Failure(error.code, f"XML is damaged: {_without_place(error.msg)}")  # type: ignore[attr-defined]
    # libxml2 stops at an undeclared entity without raising.
    for entry in parser.feed_error_log.filter_from_fatals():
        return _Failure(entry.type, f"XML is damaged: {entry.message}")
    return None


def _fault(failure: _Failure, held: bytes, rest: Iterator[bytes], *, root: str, unread: int) -> FileFault:
    """What a failure means: reading may go on behind the root's end tag, else at the next XML declaration, else not."""
    for end in _end_tag(root).finditer(held) if root and failure.code in _EXTRA_CONTENT else ():
        if _NEXT_DOCUMENT.match(held, end.end()):
            return AnotherDocument(failure.message, held[end.end() :].lstrip(), broken=False)
    while (declared := _NEXT_DECLARATION.search(held, 1)) is None:
        piece = next(rest, b"")
        if not piece:
            reason = _REASONS.get(failure.code, RejectReason.MALFORMED)
            return FileFault(reason, failure.message, unread_bytes=unread)
        unread += len(piece)
        held = held[-_DECLARATION_BYTES:] + piece
    return AnotherDocument(failure.message, held[declared.start() :], broken=True)


def _end_tag(root: str) -> re.Pattern[bytes]:
    return re.compile(rb"</(?:[\w.-]+:)?" + re.escape(root.encode()) + rb"\s*>")


def _behind(piece: bytes, tags: tuple[str, ...], ended: int) -> int:
    """How many bytes of a piece stand behind the last of the elements that ended in it."""
    names = "|".join(re.escape(tag.rpartition("}")[2]) for tag in tags)
    ends = list(re.finditer(rf"</(?:[\w.-]+:)?(?:{names})\s*>".encode(), piece))
    return len(piece) - ends[min(ended, len(ends)) - 1].end() if ended and ends else 0


def _without_place(message: str | None) -> str:
    """The parser's words without lines and columns: it may be fed a part of the file. A reject's number says where."""
    return _PLACE.sub("", message or "")


@dataclass(frozen=True, slots=True)
class OpenedXml:
    """One document as it goes to the parser: its bytes, and the local name of its root element."""

    pieces: Iterator[bytes]
    root: str


def elements_of_documents(
    stream: ByteSource, opened: Callable[[ByteSource], OpenedXml], *, tags: tuple[str, ...]
) -> Iterator[Element | FileFault]:
    """The elements of some tags in every document of a stream, in file order; `opened` reads what stands before a root.

    A document that breaks off where the next one begins is a `FileFault` among them, and reading goes on.

    Raises:
        FileFault: after the last usable element, when the rest of the stream cannot be read.
    """
    source = stream
    while True:
        document = opened(source)
        try:
            yield from finished_elements(document.pieces, tags, root=document.root)
        except AnotherDocument as following:
            if following.broken:
                yield following
            source = PieceSource(chain((following.content,), document.pieces))
        else:
            return


def broken_document(fault: FileFault) -> PendingRecord:
    """The record that stands for what a document lacks that breaks off before another one."""
    return partial(_turned_down, fault)


def _turned_down(fault: FileFault, _origin: Origin) -> NoReturn:
    raise RecordFault(fault.reason, f"{fault}: the document breaks off, and another one begins")


class PieceSource:
    """Pieces of bytes as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; empty only at the end."""
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._held = piece
        taken, self._held = self._held[:size], self._held[size:]
        return taken
