"""BioC JSON: collections, PubTator's exports, lists of documents, and documents by themselves or one per line."""

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from bioner_core.formats.annotated import ForeignDocument, ForeignRelation, Infons
from bioner_core.formats.bioc_document import BiocAnnotation, BiocDocument, BiocSpan, bioc_record
from bioner_core.formats.contract import ByteSource, Origin, PendingRecord, Reader, RecordFault
from bioner_core.formats.json_objects import json_records
from bioner_core.formats.json_text import FieldFault, parsed_json, string_field
from bioner_core.records import RejectReason

_RECORD_KEY = "passages"
_LIST_KEYS = frozenset({"documents", "PubTator3"})
_OPENING = re.compile(rb"(?:\xef\xbb\xbf)?\s*[\[{]")
_MARKS = (b'"infons"', b'"PubTator3"')
_ALSO_NEEDED = (b'"passages"', b'"documents"', b'"PubTator3"')
_LARGEST_NUMBER = 10**12
# Fields of PubTator's documents that say what other files say in infons.
_INFORMATIVE = ("_id", "pmid", "pmcid", "journal")


class BiocJsonReader(Reader):
    """Reads BioC JSON; annotations and relations of the file come with the document, apart from its text."""

    name = "bioc_json"
    source = "bioc"

    def recognises(self, head: bytes) -> bool:
        """Whether the file is JSON in which BioC's own keys occur: infons, and passages or documents."""
        return (
            _OPENING.match(head) is not None
            and any(mark in head for mark in _MARKS)
            and any(mark in head for mark in _ALSO_NEEDED)
        )

    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        """Walk the documents in file order."""
        for record in json_records(stream, record_key=_RECORD_KEY, list_keys=_LIST_KEYS):
            yield partial(_document, record)


def _document(record: bytes, origin: Origin) -> ForeignDocument:
    fields = _parsed(record)
    identifier = _identifier(fields)
    try:
        found = BiocDocument(
            document_id=identifier,
            infons=_infons(fields) + _informative(fields),
            passages=tuple(_span(item) for item in _list(fields, "passages")),
            annotations=tuple(_annotation(item) for item in _list(fields, "annotations")),
            relations=tuple(_relations(fields)),
        )
    except FieldFault as fault:
        doc_id = f"{origin.source}:{identifier}" if identifier else ""
        raise RecordFault(RejectReason.MALFORMED, str(fault), doc_id=doc_id) from None
    return bioc_record(found, origin)


def _parsed(record: bytes) -> dict[str, Any]:
    parsed = parsed_json(record)
    return parsed if isinstance(parsed, dict) else {}


def _identifier(fields: dict[str, Any]) -> str:
    """The `id`, else the PMID that PubTator writes before the bar of its `_id`."""
    identifier = fields.get("id")
    if isinstance(identifier, str | int) and not isinstance(identifier, bool) and str(identifier).strip():
        return str(identifier).strip()
    internal = fields.get("_id")
    return internal.partition("|")[0].strip() if isinstance(internal, str) else ""


def _informative(fields: dict[str, Any]) -> Infons:
    given = ((name, fields.get(name)) for name in _INFORMATIVE)
    return tuple((name, str(value)) for name, value in given if isinstance(value, str | int) and value)


def _span(item: Any) -> BiocSpan:
    fields = _object(item, "a passage or sentence")
    return BiocSpan(
        offset=_number(fields, "offset"),
        text=string_field(fields, "text"),
        infons=_infons(fields),
        annotations=tuple(_annotation(one) for one in _list(fields, "annotations")),
        sentences=tuple(_span(one) for one in _list(fields, "sentences")),
    )


def _annotation(item: Any) -> BiocAnnotation:
    fields = _object(item, "an annotation")
    places = [_object(place, "a location") for place in _list(fields, "locations")]
    return BiocAnnotation(
        annotation_id=str(fields.get("id", "")),
        locations=tuple((_number(place, "offset"), _number(place, "length")) for place in places),
        text=string_field(fields, "text"),
        infons=_infons(fields),
    )


def _relations(fields: dict[str, Any]) -> Iterator[ForeignRelation]:
    """The relations of a document and of its passages."""
    holders = [fields, *(_object(item, "a passage") for item in _list(fields, "passages"))]
    for item in (item for holder in holders for item in _list(holder, "relations")):
        relation = _object(item, "a relation")
        nodes = [_object(node, "a node") for node in _list(relation, "nodes")]
        yield ForeignRelation(
            relation_id=str(relation.get("id", "")),
            nodes=tuple((str(node.get("refid", "")), str(node.get("role", ""))) for node in nodes),
            infons=_infons(relation),
        )


def _object(item: Any, what: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise FieldFault(f"{what} must be an object, not {type(item).__name__}")
    return item


def _list(fields: dict[str, Any], name: str) -> list[Any]:
    value = fields.get(name) or []
    if not isinstance(value, list):
        raise FieldFault(f'"{name}" must be an array, not {type(value).__name__}')
    return value


def _number(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST_NUMBER:
        raise FieldFault(f'"{name}" must be a whole number from 0, not {str(value)[:40]!a}')
    return value


def _infons(fields: dict[str, Any]) -> Infons:
    """Keys and values; a value that is no string is given as JSON."""
    given = fields.get("infons") or {}
    if not isinstance(given, dict):
        raise FieldFault(f'"infons" must be an object, not {type(given).__name__}')
    return tuple((key, value if isinstance(value, str) else json.dumps(value)) for key, value in given.items())
