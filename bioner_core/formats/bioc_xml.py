"""BioC XML: a collection of documents, streamed one document at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain

from bioner_core.formats.annotated import ForeignDocument, ForeignRelation, Infons
from bioner_core.formats.bioc_document import BiocAnnotation, BiocDocument, BiocSpan, bioc_record
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
from bioner_core.formats.xml_prolog import read_prolog, sniff_root
from bioner_core.formats.xml_stream import OpenedXml, broken_document, elements_of_documents, release
from bioner_core.formats.xml_text import (
    Element,
    UnresolvedEntityError,
    all_text,
    child,
    children,
    local_name,
    require_resolved,
    resolve_entities,
    text_below,
)
from bioner_core.records import RejectReason

_ROOT = "collection"
_DOCUMENT = "document"
_MARKS = (b"<document", b"<source", b"BioC")
_HOLDERS = frozenset({"passage", "sentence"})
_ONCE = frozenset({"id", "offset", "text"})
_KNOWN = _ONCE | {"infon", "annotation", "relation"}
_LONGEST_NUMBER = 12


class BiocXmlReader(Reader):
    """Reads BioC XML; annotations and relations of the file come with the document, apart from its text."""

    name = "bioc_xml"
    source = "bioc"

    def recognises(self, head: bytes) -> bool:
        """Whether the root is a `collection` and BioC's next elements, or its name, follow."""
        return sniff_root(head) == _ROOT and any(mark in head for mark in _MARKS)

    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        """Walk the documents in file order."""
        for element in elements_of_documents(stream, _opened, tags=(_DOCUMENT,)):
            if isinstance(element, FileFault):
                yield broken_document(element)
            elif next(element.iterancestors(_DOCUMENT), None) is None:
                yield partial(_document, element)
                release(element)


def _opened(stream: ByteSource) -> OpenedXml:
    prolog = read_prolog(stream, frozenset({_ROOT})).behind_doctype()
    return OpenedXml(chain((prolog.content,), stream_chunks(stream)), prolog.root)


def _document(element: Element, origin: Origin) -> ForeignDocument:
    resolve_entities(element)
    identifier = _text(child(element, "id")).strip()
    try:
        require_resolved(element)
        found = BiocDocument(
            document_id=identifier,
            infons=_infons(element),
            passages=tuple(_span(passage) for passage in element.iterchildren("passage")),
            annotations=_annotations(element),
            relations=tuple(_relations(element)),
        )
    except UnresolvedEntityError as entity:
        fault = f"the entity {entity} is not declared"
        raise RecordFault(RejectReason.MALFORMED, fault, doc_id=_named(origin, identifier)) from None
    except _BadNumber as number:
        fault = f"{number} is not a whole number that an offset or a length may be"
        raise RecordFault(RejectReason.MALFORMED, fault, doc_id=_named(origin, identifier)) from None
    record = bioc_record(found, origin)
    lost = _loss(element)
    return replace(record, meta=replace(record.meta, lost_characters=lost)) if lost else record


def _loss(element: Element) -> int:
    """Visible characters that BioC has no place for, in a document, its passages and their sentences.

    Those are text beside its elements, elements of other names, a second text where there is one, and sentences that
    do not stand in the text of their passage.
    """
    lost, own = visible_count(element.text or ""), _text(child(element, "text"))
    seen = set[str]()
    for node in element:
        name = local_name(node)
        lost += visible_count(node.tail or "")
        if name in _HOLDERS:
            lost += _loss(node)
            said = _text(child(node, "text")) if own else ""
            lost += visible_count(said) if said not in own else 0
        elif name not in _KNOWN or name in seen:
            lost += text_below((node,))
        seen |= {name} & _ONCE
    return lost


def _named(origin: Origin, identifier: str) -> str:
    return f"{origin.source}:{identifier}" if identifier else ""


def _span(element: Element) -> BiocSpan:
    return BiocSpan(
        offset=_number(_text(child(element, "offset")) or "0"),
        text=_text(child(element, "text")),
        infons=_infons(element),
        annotations=_annotations(element),
        sentences=tuple(_span(sentence) for sentence in element.iterchildren("sentence")),
    )


def _annotations(element: Element) -> tuple[BiocAnnotation, ...]:
    return tuple(
        BiocAnnotation(
            annotation_id=node.get("id", ""),
            locations=tuple(_location(place) for place in node.iterchildren("location")),
            text=_text(child(node, "text")),
            infons=_infons(node),
        )
        for node in element.iterchildren("annotation")
    )


def _location(place: Element) -> tuple[int, int]:
    return _number(place.get("offset", "0")), _number(place.get("length", "0"))


def _relations(document: Element) -> Iterator[ForeignRelation]:
    """The relations of a document, of its passages and of their sentences."""
    for node in document.iter("relation"):
        nodes = tuple((part.get("refid", ""), part.get("role", "")) for part in children(node, "node"))
        yield ForeignRelation(node.get("id", ""), nodes, _infons(node))


def _infons(element: Element) -> Infons:
    nodes: Iterable[Element] = element.iterchildren("infon")
    return tuple((node.get("key", ""), _text(node)) for node in nodes)


def _text(element: Element | None) -> str:
    """All text below an element, to the letter."""
    if element is None:
        return ""
    # Nearly all hold text alone, and to print an element takes several times as long as to ask for that.
    return all_text(element) if len(element) else element.text or ""


class _BadNumber(Exception):
    """An offset or a length is no number."""


def _number(stated: str) -> int:
    number = stated.strip()
    if not (number.isascii() and number.isdecimal() and len(number) <= _LONGEST_NUMBER):
        raise _BadNumber(ascii(stated))
    return int(number)
