"""From the fields of one record of a literature export to a document: what every export format has in common.

A format names the fields that say what (`FieldRoles`); text, languages, identity and typography codes are settled here:
of a text escapes are resolved and the export's own marks taken off.
"""

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bioner_core.documents import Document, DocumentMeta, Heading, Passage, RemovedCode
from bioner_core.formats.contract import Origin, RecordFault
from bioner_core.formats.identifiers import RecordNames, document_id, public_ids
from bioner_core.formats.languages import detect_language
from bioner_core.formats.typography import PlacedCode, without_codes
from bioner_core.records import RejectReason

KEYWORD_SEPARATOR = "; "
"""What stands between two keywords in the text of a `keywords` passage, whatever stands there in the export."""

CLASS = "clc"
"""`Heading.vocabulary` of codes of the Chinese Library Classification (中图分类号)."""

_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
_CLASS_MARKS = re.compile(r"[;；,，、\s]+")

FieldValues = Mapping[str, Sequence[str]]
"""The values that each field of a record has, in file order; no empty ones."""


@dataclass(frozen=True, slots=True)
class FieldRoles:
    """Which fields of a format say what; where several may, the first that has a value counts.

    Title, abstract and keywords come in pairs: the original, then its translation; a field that a format lacks is the
    empty string. `keyword_marks` are the characters that part keywords, each alone or repeated, line ends beside them.
    `typography_codes` says whether CNKI's codes may stand in the text. `classes` has class codes; a format without such
    a field says nothing of them.
    """

    title: tuple[str, ...]
    abstract: tuple[str, ...]
    keywords: tuple[str, ...]
    journal: tuple[str, ...] = ()
    year: tuple[str, ...] = ()
    doi: tuple[str, ...] = ()
    link: tuple[str, ...] = ()
    keyword_marks: str = ";；"
    typography_codes: bool = True
    classes: tuple[str, ...] = ()


def export_document(values: FieldValues, roles: FieldRoles, *, origin: Origin) -> Document:
    """The document of a record: title, abstract and keywords, each value is a passage of its own language.

    Raises:
        RecordFault: none of them has text.
    """
    keywords = _keywords(values, roles)
    texts = [*_field_texts("title", values, roles), *_field_texts("abstract", values, roles), *_keyword_texts(keywords)]
    passages, codes = _passages(texts, roles)
    names = _names(values, roles, title=passages[0].text if passages else "")
    doc_id = document_id(origin.source, names)
    if not passages:
        raise RecordFault(RejectReason.NO_TEXT, "no title, abstract or keyword has text", doc_id=doc_id)
    meta = DocumentMeta(
        ids=public_ids(origin.source, names),
        journal=names.journal,
        year=names.year,
        keywords=tuple(_settled(word, roles)[0] for words in keywords for word in words),
        input_file=origin.input_file,
        record_number=origin.record_number,
        removed_codes=codes,
        headings=_class_codes(values, roles),
    )
    return Document(doc_id, origin.source, 1, _original_language(values, roles), passages, meta)


def _field_texts(section: str, values: FieldValues, roles: FieldRoles) -> Iterator[tuple[str, str]]:
    """Section and text of every value of the fields of one kind; the original before its translation."""
    resolved = abstract_text if section == "abstract" else plain_text
    for field in roles.abstract if section == "abstract" else roles.title:
        for value in values.get(field, ()):
            if text := resolved(value):
                yield section, text


def _keywords(values: FieldValues, roles: FieldRoles) -> list[list[str]]:
    """The keywords of each field that may hold some."""
    marks = re.compile(rf"[{re.escape(roles.keyword_marks)}\n]+")
    return [
        [word for value in values.get(field, ()) for piece in marks.split(plain_text(value)) if (word := piece.strip())]
        for field in roles.keywords
    ]


def _class_codes(values: FieldValues, roles: FieldRoles) -> tuple[Heading, ...] | None:
    """The class codes of a record, each once; a record names them by nothing but the code."""
    if not roles.classes:
        return None
    written = (plain_text(value) for field in roles.classes for value in values.get(field, ()))
    codes = dict.fromkeys(code for text in written for code in _CLASS_MARKS.split(text) if code)
    return tuple(Heading(CLASS, code, code) for code in codes)


def _keyword_texts(keywords: Iterable[Sequence[str]]) -> Iterator[tuple[str, str]]:
    return (("keywords", KEYWORD_SEPARATOR.join(words)) for words in keywords if words)


def _settled(text: str, roles: FieldRoles) -> tuple[str, tuple[PlacedCode, ...]]:
    return without_codes(text) if roles.typography_codes else (text, ())


def _passages(
    texts: Iterable[tuple[str, str]], roles: FieldRoles
) -> tuple[tuple[Passage, ...], tuple[RemovedCode, ...]]:
    passages: list[Passage] = []
    codes: list[RemovedCode] = []
    for index, (section, written) in enumerate(texts):
        text, removed = _settled(written, roles)
        passages.append(Passage(section, "", detect_language(text), text))
        codes += (RemovedCode(index, offset, code) for offset, code in removed)
    return tuple(passages), tuple(codes)


def _original_language(values: FieldValues, roles: FieldRoles) -> str:
    """The language of the fields that are no translations; of all fields where only a translation has text."""
    kinds = (roles.title, roles.abstract, roles.keywords)
    originals = "".join(value for fields in kinds for value in values.get(fields[0] if fields else "", ()))
    every = "".join(value for fields in kinds for field in fields for value in values.get(field, ()))
    return detect_language(originals or every)


def _names(values: FieldValues, roles: FieldRoles, *, title: str) -> RecordNames:
    year = _YEAR.search(_first(values, roles.year))
    return RecordNames(
        title=title,
        journal=plain_text(_first(values, roles.journal)),
        year=year.group() if year else "",
        doi=_first(values, roles.doi),
        link=plain_text(_first(values, roles.link)),
    )


def _first(values: FieldValues, fields: Iterable[str]) -> str:
    return next((values[field][0] for field in fields if values.get(field)), "")


_ESCAPE = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,7}|#[xX][0-9A-Fa-f]{1,6});")
_PRINTED_LINE_BREAK = "(#br)"
_BODY_MARK = re.compile(r"\s*[<〈＜]正[>〉＞]\s*")


def plain_text(value: str) -> str:
    """A value with XML's escapes and line break codes resolved, ends stripped."""
    if "&" in value:
        value = _ESCAPE.sub(lambda match: html.unescape(match.group()), value)
    return value.replace(_PRINTED_LINE_BREAK, "\n").strip()


def abstract_text(value: str) -> str:
    """The same, without the `<正>` that says that the article's opening stands in for an abstract."""
    text = plain_text(value)
    mark = _BODY_MARK.match(text)
    return text[mark.end() :] if mark else text
