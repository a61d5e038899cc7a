"""One PubMed citation or book as a document: exact paths only, so that no reference's title or PMID slips in.

Titles and abstracts of PubMed are English whatever the article's language is; `Document.lang` is the article's. Texts
in other languages are passages of their own sections, `vernacular_title` and `other_abstract`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from lxml import etree

from bioner_core.documents import Document, DocumentMeta, Heading, Passage
from bioner_core.formats.contract import Origin, RecordFault
from bioner_core.formats.identifiers import normal_doi, normal_pmcid, normal_pmid
from bioner_core.formats.languages import UNDETERMINED_LANGUAGE, short_code
from bioner_core.formats.mathml import has_math, math_text
from bioner_core.formats.pubmed_indexing import (
    HEADING_LIST,
    SUBSTANCE_LIST,
    corrections,
    listed_mesh_headings,
    listed_substances,
    publication_types,
)
from bioner_core.formats.pubmed_loss import abstract_loss, children_loss
from bioner_core.formats.xml_text import Element, child, children, path, resolve_entities, text_of
from bioner_core.records import RejectReason

_UNPRINTED_LABEL = "UNLABELLED"
_TEXT_LANGUAGE = "en"
_YEAR = re.compile(r"\d{4}")
_BLANKS = re.compile(" {2,}")
_PLACEHOLDER = re.compile(r"\[?(?:In Process Citation|Not Available)\]?\.?", re.IGNORECASE)

_TEXTS = ("ArticleTitle", "AbstractText", "VernacularTitle", "BookTitle")

_Fields = dict[str, Element]


def citation_document(element: Element, cut: Mapping[str, tuple[Heading, ...]], origin: Origin) -> Document:
    """The document of a `PubmedArticle` or a `MedlineCitation`; `cut` has the headings of lists that were taken out.

    Raises:
        RecordFault: it has no PMID, no text, or a text that cannot be resolved.
    """
    had_entities = resolve_entities(element)
    whole = {"MedlineCitation": element} if element.tag == "MedlineCitation" else _fields(element)
    citation = _fields(whole.get("MedlineCitation"))
    article = _fields(citation.get("Article"))
    journal = _fields(article.get("Journal"))
    pmid, other = citation.get("PMID"), citation.get("OtherAbstract")
    listed = _fields(whole.get("PubmedData")).get("ArticleIdList")
    return _document(
        element if had_entities else None,
        origin,
        pmid=pmid,
        passages=chain(
            _main_passages(article.get("ArticleTitle"), article),
            _other_abstracts(other),
        ),
        language=article.get("Language"),
        meta=DocumentMeta(
            ids=_identifiers(pmid, chain(_listed_ids(listed), _located_dois(article.get("ELocationID")))),
            journal=text_of(journal.get("Title")) or text_of(path(citation.get("MedlineJournalInfo"), "MedlineTA")),
            year=_year(path(journal.get("JournalIssue"), "PubDate")) or _year(article.get("ArticleDate")),
            keywords=_keywords(citation.get("KeywordList")),
            input_file=origin.input_file,
            record_number=origin.record_number,
            lost_characters=_unplaced(element, whole)
            + children_loss(whole.get("MedlineCitation"), citation)
            + children_loss(citation.get("Article"), article)
            + abstract_loss(article.get("Abstract"))
            + (sum(map(abstract_loss, _others(other))) if other is not None else 0),
            headings=(
                *(cut.get(HEADING_LIST) or listed_mesh_headings(citation.get(HEADING_LIST))),
                *(cut.get(SUBSTANCE_LIST) or listed_substances(citation.get(SUBSTANCE_LIST))),
            ),
            publication_types=publication_types(article.get("PublicationTypeList")),
            corrections=corrections(citation.get("CommentsCorrectionsList")),
        ),
    )


def book_document(element: Element, origin: Origin) -> Document:
    """The document of a `PubmedBookArticle` or a `BookDocument`; a book without an article title has its own title.

    Raises:
        RecordFault: it has no PMID, no text, or a text that cannot be resolved.
    """
    had_entities = resolve_entities(element)
    whole = {"BookDocument": element} if element.tag == "BookDocument" else _fields(element)
    book = whole.get("BookDocument")
    fields = _fields(book)
    pmid = fields.get("PMID")
    book_title = path(fields.get("Book"), "BookTitle")
    title = fields.get("ArticleTitle")
    return _document(
        element if had_entities else None,
        origin,
        pmid=pmid,
        passages=_main_passages(book_title if not text_of(title) else title, fields),
        language=fields.get("Language"),
        meta=DocumentMeta(
            ids=_identifiers(pmid, _listed_ids(fields.get("ArticleIdList"))),
            journal=text_of(book_title),
            year=_year(path(fields.get("Book"), "PubDate")) or _year(fields.get("ContributionDate")),
            keywords=_keywords(fields.get("KeywordList")),
            input_file=origin.input_file,
            record_number=origin.record_number,
            lost_characters=_unplaced(element, whole)
            + children_loss(book, fields)
            + abstract_loss(fields.get("Abstract")),
        ),
    )


def is_placeholder(title: str) -> bool:
    """Whether a title is only what NLM writes where a title has yet to be translated, or where there is none."""
    return _PLACEHOLDER.fullmatch(title) is not None


def required_pmid(pmid: Element | None) -> str:
    """The identifier that a `PMID` element holds.

    Raises:
        RecordFault: there is none.
    """
    identifier = normal_pmid(text_of(pmid))
    if not identifier:
        raise RecordFault(RejectReason.MISSING_ID, "the record has no PMID" if not text_of(pmid) else "its PMID is 0")
    return identifier


def citation_version(pmid: Element | None) -> int:
    """The version that a `PMID` element names, 1 where it names none.

    Raises:
        RecordFault: it is not a whole number from 1.
    """
    stated = "1" if pmid is None else pmid.get("Version", "1").strip()
    if not (stated.isascii() and stated.isdecimal() and int(stated[:9]) > 0 and len(stated) < 10):
        raise RecordFault(
            RejectReason.MALFORMED,
            f"PMID version {stated!a} is not a whole number from 1",
            doc_id=f"pubmed:{text_of(pmid)}",
        )
    return int(stated)


def _document(
    with_entities: Element | None,
    origin: Origin,
    *,
    pmid: Element | None,
    passages: Iterable[Passage],
    language: Element | None,
    meta: DocumentMeta,
) -> Document:
    doc_id = f"{origin.source}:{required_pmid(pmid)}"
    if with_entities is not None and (entity := _entity_in_text(with_entities)):
        raise RecordFault(RejectReason.MALFORMED, f"the entity {entity!a} is not declared", doc_id=doc_id)
    found = tuple(passages)
    if not found:
        raise RecordFault(RejectReason.NO_TEXT, "neither a title nor an abstract has text", doc_id=doc_id)
    return Document(
        doc_id=doc_id,
        source=origin.source,
        version=citation_version(pmid),
        lang=short_code(text_of(language)) or UNDETERMINED_LANGUAGE,
        passages=found,
        meta=meta,
    )


def _entity_in_text(record: Element) -> str:
    """A reference, in a text that is read, to an entity that the file does not declare: its character is unknown."""
    for entity in record.iter(etree.Entity):
        if next(entity.iterancestors(*_TEXTS), None) is not None:
            return str(entity.text)
    return ""


def _main_passages(title: Element | None, fields: _Fields) -> Iterator[Passage]:
    """Title and abstract in English, then the title in the article's own language."""
    text = _text(title)
    if text and not is_placeholder(text):
        yield Passage("title", "", _TEXT_LANGUAGE, text)
    yield from _abstract_passages(fields.get("Abstract"), "abstract", _TEXT_LANGUAGE)
    if text := _text(fields.get("VernacularTitle")):
        yield Passage("vernacular_title", "", _foreign_language(fields.get("Language")), text)


def _other_abstracts(first: Element | None) -> Iterator[Passage]:
    """The abstracts of all `OtherAbstract`; without a stated language they are English, as the DTD has it."""
    for other in _others(first):
        language = short_code(other.get("Language", "").strip()) or _TEXT_LANGUAGE
        yield from _abstract_passages(other, "other_abstract", language)


def _unplaced(element: Element, whole: _Fields) -> int:
    """What is lost beside a citation or a book: nothing where it is a record by itself."""
    return 0 if element.tag in ("MedlineCitation", "BookDocument") else children_loss(element, whole)


def _others(first: Element | None) -> Iterable[Element]:
    """All `OtherAbstract` of a citation."""
    return () if first is None else chain((first,), first.itersiblings("OtherAbstract"))


def _abstract_passages(abstract: Element | None, section: str, language: str) -> Iterator[Passage]:
    for part in children(abstract, "AbstractText"):
        if text := _text(part):
            label = part.get("Label", "").strip()
            yield Passage(section, "" if label == _UNPRINTED_LABEL else label, language, text)


def _text(element: Element | None) -> str:
    """A title or a part of an abstract; line breaks, with the blanks that set in the next line, are one blank."""
    if element is not None and has_math(element):
        text = _BLANKS.sub(" ", math_text(element)).strip()
    else:
        text = text_of(element)
    if "\n" not in text:
        return text
    # A fifth of what a regular expression costs, which looks behind every blank for a line end.
    first, *others = text.replace("\r", "\n").split("\n")
    lines = [line.rstrip(" \t") for one in others if (line := one.lstrip())]
    return " ".join((first.rstrip(" \t"), *lines))


def _foreign_language(first: Element | None) -> str:
    """The first language of an article that is not English: the one that its own title is in."""
    if first is None:
        return UNDETERMINED_LANGUAGE
    stated = (short_code(text_of(node)) for node in chain((first,), first.itersiblings("Language")))
    return next((language for language in stated if language not in ("", _TEXT_LANGUAGE)), UNDETERMINED_LANGUAGE)


def _fields(element: Element | None) -> _Fields:
    """The first child of each tag: one walk, backwards, costs less than a search for each tag."""
    return {} if element is None else {node.tag: node for node in reversed(element)}


def _listed_ids(listed: Element | None) -> Iterator[tuple[str, str]]:
    """The DOI and the PMC id of an `ArticleIdList`."""
    for node in () if listed is None else listed:
        kind = node.get("IdType", "")
        if kind == "doi":
            yield kind, normal_doi(text_of(node))
        elif kind == "pmc":
            yield kind, normal_pmcid(text_of(node))


def _located_dois(first: Element | None) -> Iterator[tuple[str, str]]:
    """The DOIs of the `ELocationID`s that are not marked as wrong."""
    if first is None:
        return
    for node in chain((first,), first.itersiblings("ELocationID")):
        if node.get("EIdType") == "doi" and node.get("ValidYN", "Y") != "N":
            yield "doi", normal_doi(text_of(node))


def _identifiers(pmid: Element | None, found: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """PMID first, then the first DOI and the first PMC id that have a value."""
    identifiers = {"pmid": normal_pmid(text_of(pmid))}
    for kind, value in found:
        if value:
            identifiers.setdefault(kind, value)
    return tuple(identifiers.items())


def _year(date: Element | None) -> str:
    """The year of a `PubDate`; the first year of a free `MedlineDate`; empty when there is none."""
    found = _YEAR.search(text_of(child(date, "Year")) or text_of(child(date, "MedlineDate")))
    return found.group() if found else ""


def _keywords(first: Element | None) -> tuple[str, ...]:
    """The keywords of a `KeywordList` and of all lists that follow it in the same record."""
    if first is None:
        return ()
    lists = chain((first,), first.itersiblings("KeywordList"))
    return tuple(keyword for listed in lists for node in listed if (keyword := text_of(node)))
