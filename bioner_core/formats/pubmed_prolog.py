"""What stands before the root element of an XML file: sniffed at, and searched for entity declarations.

An entity that is never declared can never be expanded. So the prolog is read by a parser that stops at the first
declaration of an entity, before the parser that builds trees sees a byte of it. External subsets are never fetched.
"""

import re
from xml.parsers import expat

from bioner_core.formats.contract import ByteSource, FileFault, stream_chunks
from bioner_core.formats.encoding import decode_head
from bioner_core.records import RejectReason

MAX_PROLOG_BYTES = 1024 * 1024
"""The most bytes that may stand before the root element."""

_MISCELLANEOUS = re.compile(r"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>", re.DOTALL)
_DOCTYPE_NAME = re.compile(r"<!DOCTYPE\s+([^\s\[>]+)")
_START_TAG = re.compile(r"<([^\s/>!?]+)")
_ENCODING_ERRORS = {
    expat.errors.codes[expat.errors.XML_ERROR_UNKNOWN_ENCODING],
    expat.errors.codes[expat.errors.XML_ERROR_INCORRECT_ENCODING],
}


def sniff_root(head: bytes) -> str | None:
    """The name of the root element, or of the document type where the root is out of reach; None when not XML."""
    text = decode_head(head)
    position = 0
    while match := _MISCELLANEOUS.match(text, position):
        position = match.end()
    found = _START_TAG.match(text, position) or _DOCTYPE_NAME.search(text)
    return found.group(1) if found else None


def read_prolog(stream: ByteSource, roots: frozenset[str]) -> bytes:
    """Read up to and beyond the start of the root element; return the bytes read, blanks before the prolog left out.

    Raises:
        FileFault: an entity is declared, the prolog is not well-formed or too long, or the root is none of `roots`.
    """
    gate = _Gate(roots)
    held = bytearray()
    for chunk in stream_chunks(stream):
        # Blanks before the XML declaration are not well-formed, harmless and common.
        piece = chunk if held else chunk.lstrip(b" \t\r\n")
        held += piece
        if gate.passed(piece):
            return bytes(held)
        if len(held) > MAX_PROLOG_BYTES:
            raise FileFault(RejectReason.TOO_LARGE, f"no root element within {MAX_PROLOG_BYTES} bytes")
    raise FileFault(RejectReason.TRUNCATED, "the file ends before its root element")


class _RootSeen(Exception):
    """Stops the gate's parser: the prolog is over."""


class _Gate:
    """Parses a prolog, piece by piece, and refuses what must not reach a tree builder."""

    def __init__(self, roots: frozenset[str]) -> None:
        self._roots = roots
        self._parser = expat.ParserCreate()
        self._parser.EntityDeclHandler = self._on_entity
        self._parser.StartElementHandler = self._on_root

    def passed(self, piece: bytes) -> bool:
        """Whether the root element has begun."""
        try:
            self._parser.Parse(piece, False)
        except _RootSeen:
            return True
        except expat.ExpatError as error:
            bad_encoding = error.code in _ENCODING_ERRORS
            reason = RejectReason.BAD_ENCODING if bad_encoding else RejectReason.MALFORMED
            raise FileFault(reason, f"XML prolog: {error}") from None
        except (LookupError, ValueError) as error:
            # Expat asks Python for encodings that it does not know itself; those of more than one byte it cannot use.
            raise FileFault(RejectReason.BAD_ENCODING, f"XML prolog: {error}") from None
        return False

    def _on_entity(self, name: str, *_details: object) -> None:
        message = f"the document type declares the entity {name!a}; entities are never expanded"
        raise FileFault(RejectReason.FORBIDDEN_MARKUP, message)

    def _on_root(self, name: str, attributes: dict[str, str]) -> None:
        if name not in self._roots or "xmlns" in attributes:
            raise FileFault(RejectReason.UNKNOWN_FORMAT, f"the root element {name!a} is not one of PubMed's")
        raise _RootSeen
