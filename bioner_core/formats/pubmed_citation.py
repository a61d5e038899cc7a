"""One PubMed citation or book as a document: exact paths only, so that no reference's title or PMID slips in.

Titles and abstracts of PubMed are English whatever the article's language is; `Document.lang` is the article's.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from lxml import etree

from bioner_core.documents import Document, DocumentMeta, Passage
from bioner_core.formats.contract import Origin, RecordFault
from bioner_core.formats.languages import short_code
from bioner_core.records import RejectReason

_UNPRINTED_LABEL = "UNLABELLED"
_TEXT_LANGUAGE = "en"
_UNDETERMINED = "und"
_YEAR = re.compile(r"\d{4}")

_Element = etree._Element


def citation_document(element: _Element, origin: Origin) -> Document:
    """The document of a `PubmedArticle` or a `MedlineCitation`.

    Raises:
        RecordFault: it has no PMID, no text, or a text that cannot be resolved.
    """
    citation = _fields(element if element.tag == "MedlineCitation" else _child(element, "MedlineCitation"))
    article = _fields(citation.get("Article"))
    journal = _fields(article.get("Journal"))
    pmid = citation.get("PMID")
    listed = _path(element, "PubmedData", "ArticleIdList")
    return _document(
        origin,
        pmid=pmid,
        title=article.get("ArticleTitle"),
        abstract=article.get("Abstract"),
        language=_text(article.get("Language")),
        meta=DocumentMeta(
            ids=_identifiers(pmid, chain(_listed_ids(listed), _located_dois(citation.get("Article")))),
            journal=_text(journal.get("Title")) or _text(_path(citation.get("MedlineJournalInfo"), "MedlineTA")),
            year=_year(_path(journal.get("JournalIssue"), "PubDate")),
            keywords=_keywords(citation.get("KeywordList")),
            input_file=origin.input_file,
            record_number=origin.record_number,
        ),
    )


def book_document(element: _Element, origin: Origin) -> Document:
    """The document of a `PubmedBookArticle` or a `BookDocument`; a book without an article title has its own title.

    Raises:
        RecordFault: it has no PMID, no text, or a text that cannot be resolved.
    """
    chapter = element if element.tag == "BookDocument" else _child(element, "BookDocument")
    fields = _fields(chapter)
    pmid = fields.get("PMID")
    book_title = _path(fields.get("Book"), "BookTitle")
    title = fields.get("ArticleTitle")
    return _document(
        origin,
        pmid=pmid,
        title=book_title if not _text(title) else title,
        abstract=fields.get("Abstract"),
        language=_text(fields.get("Language")),
        meta=DocumentMeta(
            ids=_identifiers(pmid, _listed_ids(fields.get("ArticleIdList"))),
            journal=_text(book_title),
            year=_year(_path(fields.get("Book"), "PubDate")),
            keywords=_keywords(fields.get("KeywordList")),
            input_file=origin.input_file,
            record_number=origin.record_number,
        ),
    )


def required_pmid(pmid: _Element | None) -> str:
    """The identifier that a `PMID` element holds.

    Raises:
        RecordFault: there is none.
    """
    identifier = _text(pmid)
    if not identifier:
        raise RecordFault(RejectReason.MISSING_ID, "the record has no PMID")
    return identifier


def citation_version(pmid: _Element | None) -> int:
    """The version that a `PMID` element names, 1 where it names none.

    Raises:
        RecordFault: it is not a whole number from 1.
    """
    stated = "1" if pmid is None else pmid.get("Version", "1").strip()
    if not (stated.isascii() and stated.isdecimal() and int(stated[:9]) > 0 and len(stated) < 10):
        raise RecordFault(
            RejectReason.MALFORMED,
            f"PMID version {stated!a} is not a whole number from 1",
            doc_id=f"pubmed:{_text(pmid)}",
        )
    return int(stated)


def _document(
    origin: Origin,
    *,
    pmid: _Element | None,
    title: _Element | None,
    abstract: _Element | None,
    language: str,
    meta: DocumentMeta,
) -> Document:
    doc_id = f"{origin.source}:{required_pmid(pmid)}"
    try:
        passages = tuple(_passages(title, abstract))
    except _UnresolvedEntity as entity:
        raise RecordFault(RejectReason.MALFORMED, f"the entity {entity} is not declared", doc_id=doc_id) from None
    if not passages:
        raise RecordFault(RejectReason.NO_TEXT, "neither title nor abstract has text", doc_id=doc_id)
    return Document(
        doc_id=doc_id,
        source=origin.source,
        version=citation_version(pmid),
        lang=short_code(language) or _UNDETERMINED,
        passages=passages,
        meta=meta,
    )


def _passages(title: _Element | None, abstract: _Element | None) -> Iterator[Passage]:
    if text := _reading_text(title):
        yield Passage("title", "", _TEXT_LANGUAGE, text)
    for part in _children(abstract, "AbstractText"):
        if text := _reading_text(part):
            label = part.get("Label", "").strip()
            yield Passage("abstract", "" if label == _UNPRINTED_LABEL else label, _TEXT_LANGUAGE, text)


class _UnresolvedEntity(Exception):
    """A text holds an entity reference that its file does not declare: its character is unknown."""


def _reading_text(element: _Element | None) -> str:
    """All text below an element, markup removed, ends stripped and otherwise unchanged."""
    if element is not None and len(element):
        for entity in element.iter(etree.Entity):
            raise _UnresolvedEntity(ascii(entity.text))
    return _text(element)


def _text(element: _Element | None) -> str:
    if element is None:
        return ""
    text = "".join(element.itertext()) if len(element) else element.text  # type: ignore[arg-type]
    return (text or "").strip()


def _fields(element: _Element | None) -> dict[str, _Element]:
    """The first child of each tag: one walk costs less than a search for each tag."""
    found: dict[str, _Element] = {}
    for child in _children(element, "*"):
        found.setdefault(child.tag, child)
    return found


def _child(element: _Element | None, tag: str) -> _Element | None:
    return None if element is None else next(element.iterchildren(tag), None)


def _children(element: _Element | None, tag: str) -> Iterable[_Element]:
    return () if element is None else element.iterchildren(tag)


def _path(element: _Element | None, *tags: str) -> _Element | None:
    for tag in tags:
        element = _child(element, tag)
    return element


def _listed_ids(listed: _Element | None) -> Iterator[tuple[str, str]]:
    """The DOI and the PMC id of an `ArticleIdList`."""
    for node in _children(listed, "ArticleId"):
        kind = node.get("IdType", "")
        if kind in ("doi", "pmc"):
            yield kind, _text(node)


def _located_dois(article: _Element | None) -> Iterator[tuple[str, str]]:
    for node in _children(article, "ELocationID"):
        if node.get("EIdType") == "doi":
            yield "doi", _text(node)


def _identifiers(pmid: _Element | None, found: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """PMID first, then the first DOI and the first PMC id that have a value."""
    identifiers = {"pmid": _text(pmid)}
    for kind, value in found:
        if value:
            identifiers.setdefault(kind, value)
    return tuple(identifiers.items())


def _year(date: _Element | None) -> str:
    """The year of a `PubDate`; the first year of a free `MedlineDate`; empty when there is none."""
    found = _YEAR.search(_text(_child(date, "Year")) or _text(_child(date, "MedlineDate")))
    return found.group() if found else ""


def _keywords(first: _Element | None) -> tuple[str, ...]:
    """The keywords of a `KeywordList` and of all lists that follow it in the same record."""
    if first is None:
        return ()
    lists = chain((first,), first.itersiblings("KeywordList"))
    return tuple(keyword for listed in lists for node in _children(listed, "Keyword") if (keyword := _text(node)))
