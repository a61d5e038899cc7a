"""What stands before the root element of an XML file: sniffed at, and searched for entity declarations.

An entity that is never declared can never be expanded. So the prolog is read by a parser that stops at the first
declaration of an entity, before the parser that builds trees sees a byte of it. External subsets are never fetched.
"""

import re
from dataclasses import dataclass
from xml.parsers import expat

from bioner_core.formats.contract import ByteSource, FileFault, stream_chunks
from bioner_core.formats.encoding import decode_head
from bioner_core.records import RejectReason

MAX_PROLOG_BYTES = 1024 * 1024
"""The most bytes that may stand before the root element."""

EMPTY_DOCTYPE = b'<!DOCTYPE unnamed SYSTEM "none">'
"""A document type without declarations, which is never looked for."""

_MISCELLANEOUS = re.compile(r"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>", re.DOTALL)
_DOCTYPE_NAME = re.compile(r"<!DOCTYPE\s+([^\s\[>]+)")
_START_TAG = re.compile(r"<([^\s/>!?]+)")
_UTF8_WITHOUT_HYPHEN = re.compile(rb"<\?xml[^>]{1,100}encoding\s*=\s*[\"']utf8[\"']", re.IGNORECASE)
_DECLARED = re.compile(rb"<\?xml[^>]{1,100}encoding\s*=\s*[\"']([\w.-]{1,40})[\"']", re.IGNORECASE)
_ENCODING_ERRORS = {
    expat.errors.codes[expat.errors.XML_ERROR_UNKNOWN_ENCODING],
    expat.errors.codes[expat.errors.XML_ERROR_INCORRECT_ENCODING],
}


@dataclass(frozen=True, slots=True)
class Prolog:
    """The first bytes of a file, up to and beyond the start of its root; `root_at` counts bytes of `content`.

    `behind_doctype` is the same where the file names a document type; else one without declarations stands in it, with
    which the parser takes an entity that nobody declared for a fault of its record alone.
    """

    content: bytes
    root: str
    root_at: int
    has_doctype: bool

    def behind_doctype(self) -> "Prolog":
        """The prolog with a document type that declares nothing; as it is where a character takes two bytes or more."""
        before, behind = self.content[: self.root_at], self.content[self.root_at :]
        if self.has_doctype or behind[:1] != b"<" or behind[1:2] == b"\0":
            return self
        before += EMPTY_DOCTYPE
        return Prolog(before + behind, self.root, len(before), has_doctype=True)


def sniff_root(head: bytes) -> str | None:
    """The name of the root element, or of the document type where the root is out of reach; None when not XML."""
    text = decode_head(head)
    if not text.lstrip().startswith("<"):
        return None
    position = 0
    while match := _MISCELLANEOUS.match(text, position):
        position = match.end()
    found = _START_TAG.match(text, position) or _DOCTYPE_NAME.search(text)
    return found.group(1) if found else None


def read_prolog(stream: ByteSource, roots: frozenset[str], *, namespaced: bool = False) -> Prolog:
    """Read up to and beyond the start of the root element; blanks before the prolog are left out.

    `roots` are local names; a root in a default namespace, or with a prefix, is taken only if it may be `namespaced`.

    Raises:
        FileFault: an entity is declared, the prolog is not well-formed or too long, or the root is none of `roots`.
    """
    gate = _Gate(roots, namespaced=namespaced)
    held = bytearray()
    for chunk in stream_chunks(stream):
        # Blanks before the XML declaration are not well-formed, harmless and common.
        piece = chunk if held else chunk.lstrip(b" \t\r\n")
        held += piece
        if piece and (root := gate.root_in(piece)) is not None:
            return Prolog(bytes(held), root.name, root.at, gate.has_doctype)
        if len(held) > MAX_PROLOG_BYTES:
            raise FileFault(RejectReason.TOO_LARGE, f"no root element within {MAX_PROLOG_BYTES} bytes")
    raise FileFault(RejectReason.TRUNCATED, "the file ends before its root element")


def _conversion(first: bytes) -> str:
    """What to do about a declared encoding that no parser here reads, in words; empty where none is declared."""
    declared = _DECLARED.match(first)
    if declared is None:
        return ""
    name = declared[1].decode()
    return f'; convert the file to UTF-8 (iconv -f {name} -t UTF-8) and let its first line say encoding="UTF-8"'


class _RootSeen(Exception):
    """Stops the gate's parser: the prolog is over."""

    def __init__(self, name: str, at: int) -> None:
        self.name = name
        self.at = at


class _Gate:
    """Parses a prolog, piece by piece, and refuses what must not reach a tree builder."""

    def __init__(self, roots: frozenset[str], *, namespaced: bool) -> None:
        self._roots = roots
        self._namespaced = namespaced
        self._parser: expat.XMLParserType | None = None
        self.has_doctype = False

    def root_in(self, piece: bytes) -> _RootSeen | None:
        """Where the root element begins, once it has begun."""
        self._parser = self._parser or self._started(piece)
        try:
            self._parser.Parse(piece, False)
        except _RootSeen as root:
            return root
        except expat.ExpatError as error:
            bad_encoding = error.code in _ENCODING_ERRORS
            reason = RejectReason.BAD_ENCODING if bad_encoding else RejectReason.MALFORMED
            raise FileFault(reason, f"XML prolog: {error}") from None
        except (LookupError, ValueError) as error:
            # Expat asks Python for encodings that it does not know itself; those of more than one byte it cannot use.
            raise FileFault(RejectReason.BAD_ENCODING, f"XML prolog: {error}{_conversion(piece)}") from None
        return None

    def _started(self, first: bytes) -> expat.XMLParserType:
        # Expat does not know UTF-8 by the name `utf8`, which some tools write.
        parser = expat.ParserCreate("utf-8" if _UTF8_WITHOUT_HYPHEN.match(first) else None)
        parser.EntityDeclHandler = self._on_entity
        parser.StartDoctypeDeclHandler = self._on_doctype
        parser.StartElementHandler = self._on_root
        return parser

    def _on_entity(self, name: str, *_details: object) -> None:
        message = f"the document type declares the entity {name!a}; entities are never expanded"
        raise FileFault(RejectReason.FORBIDDEN_MARKUP, message)

    def _on_doctype(self, *_details: object) -> None:
        self.has_doctype = True

    def _on_root(self, name: str, attributes: dict[str, str]) -> None:
        prefix, _, local = name.rpartition(":")
        if local not in self._roots or (not self._namespaced and (prefix or "xmlns" in attributes)):
            known = ", ".join(sorted(self._roots))
            raise FileFault(RejectReason.UNKNOWN_FORMAT, f"the root element {name!a} is not one of: {known}")
        raise _RootSeen(local, self._parser.CurrentByteIndex if self._parser else 0)
