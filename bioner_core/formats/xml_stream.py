"""Elements of an XML file, one at a time, from a parser that expands, loads and fetches nothing.

libxml2's own limits stay on: a text of at most 10 MB and a depth of at most 256 elements.
"""

import re
from collections.abc import Iterable, Iterator
from typing import cast

from lxml import etree

from bioner_core.formats.contract import MAX_RECORD_BYTES, FileFault
from bioner_core.records import RejectReason

_PLACE = re.compile(r",? line \d+(?:, column \d+)?\b")
_REASONS = {
    etree.ErrorTypes.ERR_RESOURCE_LIMIT: RejectReason.TOO_LARGE,
    etree.ErrorTypes.ERR_INVALID_ENCODING: RejectReason.BAD_ENCODING,
}


def finished_elements(pieces: Iterable[bytes], tags: tuple[str, ...]) -> Iterator[etree._Element]:
    """The elements of some tags, each when it ends: in file order, an inner one before the one that holds it.

    `{*}name` is a tag in any namespace. An element is whole, and stays in the tree until `release` frees it.

    Raises:
        FileFault: after the last element before the fault: the XML is damaged or ends early, or more than
            `MAX_RECORD_BYTES` pass without the end of one of these elements.
    """
    parser = etree.XMLPullParser(
        events=("end",),
        tag=tags,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    unfinished = 0
    for piece in pieces:
        error = _feed(parser, piece)
        unfinished += len(piece)
        for _, element in parser.read_events():
            unfinished = 0
            yield cast(etree._Element, element)
        if error is not None:
            raise error
        if unfinished > MAX_RECORD_BYTES:
            raise FileFault(RejectReason.TOO_LARGE, f"a record takes more than {MAX_RECORD_BYTES} bytes")
    try:
        parser.close()
    except etree.XMLSyntaxError as failure:
        raise FileFault(RejectReason.TRUNCATED, f"XML ends early: {_without_place(failure.msg)}") from None


def release(element: etree._Element) -> None:
    """Free all that stands before an element under its parent; the element itself goes with the next one."""
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]


def _feed(parser: etree.XMLPullParser, piece: bytes) -> FileFault | None:
    """Parse a piece; a fault is returned, not raised, because elements that ended before it are still to be read."""
    try:
        parser.feed(piece)
    except etree.XMLSyntaxError as failure:
        reason = _REASONS.get(failure.code, RejectReason.MALFORMED)  # type: ignore[attr-defined]
        return FileFault(reason, f"XML is damaged: {_without_place(failure.msg)}")
    # libxml2 stops at an undeclared entity without raising.
    for entry in parser.feed_error_log.filter_from_fatals():
        return FileFault(RejectReason.MALFORMED, f"XML is damaged: {entry.message}")
    return None


def _without_place(message: str | None) -> str:
    """The parser's words without lines and columns: it may be fed a part of the file. A reject's number says where."""
    return _PLACE.sub("", message or "")
