"""A document as named fields: what an object of JSON lines or a row of Parquet may hold, and what becomes of it.

Either bioner's own form (`passages` and `meta`), or simple columns: `title`, `abstract`, `text` and `keywords`, each a
passage of its own, beside `journal`, `year`, `doi` and `link`. Text is kept to the letter.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, TypeVar

from bioner_core.documents import Correction, Document, DocumentMeta, Heading, Passage, RemovedCode
from bioner_core.formats.contract import Origin, RecordFault
from bioner_core.formats.export_record import KEYWORD_SEPARATOR
from bioner_core.formats.identifiers import RecordNames, document_id, normal_pmcid, normal_pmid, public_ids
from bioner_core.formats.json_text import FieldFault, string_field
from bioner_core.formats.languages import detect_language, stated_language
from bioner_core.records import RejectReason
from bioner_core.typed_json import typed

_COLUMNS = ("title", "abstract", "text", "keywords")

KNOWN_FIELDS = frozenset(
    {
        *_COLUMNS,
        "passages",
        "id",
        "doc_id",
        "pmid",
        "pmcid",
        "lang",
        "version",
        "meta",
        "journal",
        "year",
        "doi",
        "link",
    }
)
"""The fields that are read; others may stand beside them."""

Fields = Mapping[str, Any]

_Stated = TypeVar("_Stated")


def document_of_fields(fields: Fields, origin: Origin) -> Document:
    """The document that some fields make; a field that is null is not there.

    `id` or `doc_id` names it, else `pmcid` or `pmid`. A document of `title`, `abstract` or `keywords` may do without:
    then link, DOI, or title with journal and year name it, as they do in exports.

    Raises:
        RecordFault: a field has a value of the wrong kind, there is no text, or nothing to name the document by.
    """
    doc_id = _given_id(fields, origin.source)
    try:
        passages = _passages(fields)
        meta = _meta(fields, passages, origin)
        version, lang = _version(fields), _language(fields)
    except FieldFault as fault:
        raise RecordFault(RejectReason.MALFORMED, str(fault), doc_id=doc_id) from None
    if not passages:
        raise RecordFault(RejectReason.NO_TEXT, "no passage has text", doc_id=doc_id)
    doc_id = doc_id or document_id(origin.source, _names(fields, meta, title=passages[0].text))
    lang = lang or detect_language("".join(passage.text for passage in passages))
    return Document(doc_id, origin.source, version, lang, passages, meta)


def _given_id(fields: Fields, source: str) -> str:
    """The document's id; empty where the text is to name it."""
    identifier = fields.get("id", fields.get("doc_id"))
    numbers = dict(_article_ids(fields))
    if identifier is None and numbers:
        return f"{source}:{numbers['pmc']}" if "pmc" in numbers else f"{source}:pmid:{numbers['pmid']}"
    if identifier is None and any(fields.get(name) for name in ("title", "abstract", "keywords")):
        return ""
    if isinstance(identifier, int) and not isinstance(identifier, bool):
        identifier = str(identifier)
    if not isinstance(identifier, str) or not identifier.strip():
        raise RecordFault(RejectReason.MISSING_ID, '"id" must be a string that is not empty, or a whole number')
    return f"{source}:{identifier.strip().removeprefix(source + ':')}"


def _article_ids(fields: Fields) -> Iterator[tuple[str, str]]:
    """PMID and PMC id of the fields `pmid` and `pmcid`, as text or as numbers."""
    for kind, name, normal in (("pmid", "pmid", normal_pmid), ("pmc", "pmcid", normal_pmcid)):
        value = fields.get(name)
        written = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if identifier := normal(written):
            yield kind, identifier


def _language(fields: Fields) -> str:
    return stated_language(string_field(fields, "lang"))


def _passages(fields: Fields) -> tuple[Passage, ...]:
    """The passages that have text."""
    columns = [name for name in _COLUMNS if fields.get(name) is not None]
    given = fields.get("passages")
    if (given is not None and "text" in columns) or (given is None and not columns):
        raise FieldFault('give either "passages", or "text", "title", "abstract" or "keywords"')
    if given is not None and not isinstance(given, list):
        raise FieldFault('"passages" must be an array')
    found = _column_passages(fields, columns) if given is None else map(_passage, given)
    return tuple(passage for passage in found if passage.text.strip())


def _column_passages(fields: Fields, columns: list[str]) -> Iterator[Passage]:
    for name in columns:
        text = KEYWORD_SEPARATOR.join(_keywords(fields)) if name == "keywords" else string_field(fields, name)
        lang = _language(fields) if name == "text" else ""
        yield Passage(name, "", lang or detect_language(text), text)


def _passage(item: Any) -> Passage:
    if not isinstance(item, dict) or not isinstance(item.get("text"), str):
        raise FieldFault('a passage must have a "text" that is a string')
    text = item["text"]
    lang = _language(item) or detect_language(text)
    return Passage(string_field(item, "section") or "text", string_field(item, "label"), lang, text)


def _keywords(fields: Fields) -> list[str]:
    given = fields.get("keywords") or []
    given = [given] if isinstance(given, str) else given
    if not isinstance(given, list):
        raise FieldFault('"keywords" must be an array')
    return [str(keyword) for keyword in given if keyword not in ("", None)]


def _year(fields: Fields) -> str:
    year = fields.get("year")
    if isinstance(year, date):
        return str(year.year)
    return str(year) if isinstance(year, int) else string_field(fields, "year")


def _version(fields: Fields) -> int:
    version = 1 if fields.get("version") is None else fields["version"]
    if not isinstance(version, int) or isinstance(version, bool) or not 0 < version < 2**31:
        raise FieldFault('"version" must be a whole number from 1')
    return version


def _meta(fields: Fields, passages: tuple[Passage, ...], origin: Origin) -> DocumentMeta:
    given = fields.get("meta") or {}
    if not isinstance(given, dict):
        raise FieldFault('"meta" must be an object')
    own = {**{name: fields.get(name) for name in ("journal", "year", "keywords")}, **given}
    ids = _ids(given) or (*_article_ids(fields), *public_ids(origin.source, _names(fields, DocumentMeta(), title="")))
    return DocumentMeta(
        ids=ids,
        journal=string_field(own, "journal"),
        year=_year(own),
        keywords=tuple(_keywords(own)),
        input_file=origin.input_file,
        record_number=origin.record_number,
        removed_codes=_removed_codes(given, passages),
        headings=_stated(given, "headings", tuple[Heading, ...]),
        publication_types=_stated(given, "publication_types", tuple[str, ...]),
        corrections=_stated(given, "corrections", tuple[Correction, ...]),
    )


def _ids(given: Fields) -> tuple[tuple[str, str], ...]:
    """Ids as an object, or as the pairs of kind and value of bioner's own tables."""
    ids = given.get("ids") or {}
    if isinstance(ids, list) and all(isinstance(pair, dict) and {"kind", "value"} <= pair.keys() for pair in ids):
        ids = {pair["kind"]: pair["value"] for pair in ids}
    if not isinstance(ids, dict):
        raise FieldFault('"meta.ids" must be an object')
    return tuple((str(kind), str(value)) for kind, value in ids.items())


def _stated(given: Fields, name: str, kind: type[_Stated]) -> _Stated | None:
    """What an indexer said, as bioner's own tables have it; None where there is no such field."""
    value = given.get(name)
    try:
        return None if value is None else typed(kind, value)
    except ValueError as error:
        raise FieldFault(f'"meta.{name}" must be as bioner writes it: {error}') from None


def _removed_codes(given: Fields, passages: tuple[Passage, ...]) -> tuple[RemovedCode, ...]:
    codes = given.get("removed_codes") or []
    if not isinstance(codes, list) or not all(_is_in_place(code, passages) for code in codes):
        raise FieldFault('"meta.removed_codes" must hold a passage_index, an offset in that passage, and a code')
    return tuple(RemovedCode(**code) for code in codes)


def _is_in_place(code: Any, passages: tuple[Passage, ...]) -> bool:
    match code:
        case {"passage_index": int(index), "offset": int(offset), "code": str()} if len(code) == 3:
            return 0 <= index < len(passages) and 0 <= offset <= len(passages[index].text)
    return False


def _names(fields: Fields, meta: DocumentMeta, *, title: str) -> RecordNames:
    return RecordNames(
        title, meta.journal, meta.year, doi=string_field(fields, "doi"), link=string_field(fields, "link")
    )
