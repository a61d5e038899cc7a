"""XML exports: one element per record, its fields named by the paths of `FieldRoles`.

They are read as text first, since CNKI's are no more certain of their encoding than its other exports, and one kind has
a document type in the wrong place.
"""

import re
from abc import abstractmethod
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import ClassVar

from bioner_core.documents import Document
from bioner_core.formats.contract import (
    ByteSource,
    FileFault,
    Origin,
    PendingRecord,
    Reader,
    RecordFault,
    stream_chunks,
    visible_count,
)
from bioner_core.formats.encoding import DecodedText, decode_head, decoded_text
from bioner_core.formats.export_record import FieldRoles, FieldValues, export_document
from bioner_core.formats.xml_prolog import EMPTY_DOCTYPE, MAX_PROLOG_BYTES
from bioner_core.formats.xml_stream import OpenedXml, PieceSource, broken_document, elements_of_documents, release
from bioner_core.formats.xml_text import (
    Element,
    UnresolvedEntityError,
    all_text,
    local_name,
    require_resolved,
    resolve_entities,
    text_of,
)
from bioner_core.records import RejectReason

_DECLARATION = re.compile(rb"<\?xml\b.*?\?>", re.DOTALL)
_ROOT = re.compile(rb"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)")
_LAYOUT = b"\xef\xbb\xbf \t\r\n"
_STRAY_DOCTYPE = re.compile(r"\s*<!DOCTYPE\s+HTML\b[^>\[]*>\s*", re.IGNORECASE)
_ENTITY = "<!ENTITY"
_PIECE_CHARACTERS = 16 * 1024

SENTENCE = 40
"""Visible characters from which on the text of an unknown element counts as lost.

These forms have no document type that says which elements there are, and records of a title alone: a number, a name or
a date more is no text that is lost.
"""


class XmlExportReader(Reader):
    """A reader of an XML export; a subclass states the tag of its records and, as paths below one, its fields.

    `unread` are the names of the elements that are not read as text, which docs/formats.md has too.
    """

    record_tag: ClassVar[str]
    roles: ClassVar[FieldRoles]
    unread: ClassVar[frozenset[str]]

    def recognises(self, head: bytes) -> bool:
        """Whether it is XML, and such that a record of this format is to be expected in it."""
        text = decode_head(head).lstrip()
        return text.startswith("<") and self.is_form(text)

    @abstractmethod
    def is_form(self, head: str) -> bool:
        """Whether the start of an XML file is of this format."""

    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        """Walk the records in file order.

        Raises:
            FileFault: no encoding fits, a record stands inside another, an entity is declared, or the file breaks off.
        """
        with decoded_text(stream) as text:
            for element in elements_of_documents(PieceSource(_pieces(text)), _opened, tags=(self.record_tag,)):
                if isinstance(element, FileFault):
                    yield broken_document(element)
                    continue
                if next(element.iterancestors(self.record_tag), None) is not None:
                    raise FileFault(RejectReason.MALFORMED, f"a record, <{self.record_tag}>, stands inside another")
                yield partial(self._document, element)
                release(element)

    def values(self, element: Element) -> FieldValues:
        """The values of a record's fields, each under the path that `roles` gives for it."""
        roles = self.roles
        paths = chain(roles.title, roles.abstract, roles.keywords, roles.journal, roles.year, roles.doi, roles.link)
        found = {path: [self.field_text(one) for one in element.iterfind(path)] for path in paths}
        return {path: kept for path, texts in found.items() if (kept := [text for text in texts if text])}

    def field_text(self, field: Element) -> str:
        """The text of one field."""
        return text_of(field)

    def _document(self, element: Element, origin: Origin) -> Document:
        resolve_entities(element)
        try:
            require_resolved(element)
        except UnresolvedEntityError as entity:
            raise RecordFault(RejectReason.MALFORMED, f"the file does not declare the entity {entity}") from None
        document = export_document(self.values(element), self.roles, origin=origin)
        lost = export_loss(element, self._text_fields(element), unread=self.unread)
        return replace(document, meta=replace(document.meta, lost_characters=lost)) if lost else document

    def _text_fields(self, element: Element) -> frozenset[Element]:
        """The elements of a record whose text makes up its passages."""
        paths = (*self.roles.title, *self.roles.abstract, *self.roles.keywords)
        return frozenset(one for path in paths for one in element.iterfind(path))


def _pieces(text: DecodedText) -> Iterator[bytes]:
    """A file's text as UTF-8, without a document type of HTML wherever it stands.

    Raises:
        FileFault: an entity is declared, or the file breaks off.
    """
    held: list[str] = []
    size = 0
    try:
        # Lines go on together: to begin with a piece takes the parser longer than to read a line.
        for line in _harmless(text.lines):
            held.append(line)
            size += len(line)
            if size >= _PIECE_CHARACTERS:
                yield "".join(held).encode()
                held, size = [], 0
    except FileFault:
        yield "".join(held).encode()
        raise
    yield "".join(held).encode()
    if text.fault is not None:
        raise text.fault


def _harmless(lines: Iterator[str]) -> Iterator[str]:
    """The lines but for a document type of HTML; none from the one on that declares an entity."""
    before = ""
    for line in lines:
        if _STRAY_DOCTYPE.fullmatch(line):
            continue
        if _ENTITY in before + line:
            raise FileFault(RejectReason.FORBIDDEN_MARKUP, "an entity is declared; entities are never expanded")
        before = line[-len(_ENTITY) :]
        yield line


def _opened(stream: ByteSource) -> OpenedXml:
    """A document without its XML declaration, whose encoding no longer holds, and with a document type."""
    head = b""
    for piece in stream_chunks(stream):
        head = (head + piece).lstrip(_LAYOUT)
        if _ROOT.search(head) or len(head) > MAX_PROLOG_BYTES:
            break
    head = _DECLARATION.sub(b"", head, count=1).lstrip(_LAYOUT)
    root = _ROOT.search(head)
    doctype = b"" if b"<!DOCTYPE" in head or root is None else EMPTY_DOCTYPE
    name = root.group(1).decode(errors="replace") if root else ""
    return OpenedXml(chain((doctype + head,) if head else (), stream_chunks(stream)), name)


def export_loss(record: Element, read: Collection[Element], *, unread: Collection[str]) -> int:
    """How many visible characters of a record are lost: those outside the elements that are read or named as unread."""
    lost = _direct_text(record)
    for element in record:
        lost += _lost_of(element, read, unread)
    return lost


def _lost_of(element: Element, read: Collection[Element], unread: Collection[str]) -> int:
    if element in read or local_name(element) in unread:
        return 0
    if _holds(element, read, unread):
        return export_loss(element, read, unread=unread)
    found = visible_count(all_text(element))
    return found if found >= SENTENCE else 0


def _holds(element: Element, read: Collection[Element], unread: Collection[str]) -> bool:
    """Whether an element holds some that are read or named, and so is no field itself."""
    return any(one in read or local_name(one) in unread for one in element.iterdescendants())


def _direct_text(element: Element) -> int:
    return visible_count(element.text or "") + sum(visible_count(one.tail or "") for one in element)
