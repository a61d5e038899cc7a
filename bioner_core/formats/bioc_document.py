"""A BioC document, from XML or JSON, as a document of ours: the text of its passages, its annotations apart."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bioner_core.documents import DocumentMeta, Passage
from bioner_core.formats.annotated import ForeignAnnotation, ForeignDocument, ForeignRelation, Infons, fits_text
from bioner_core.formats.contract import Origin, RecordFault
from bioner_core.formats.identifiers import normal_doi, normal_pmcid, normal_pmid
from bioner_core.formats.languages import detect_language
from bioner_core.records import RejectReason

_PMID = re.compile(r"(\d{1,10})\|")
_YEAR = re.compile(r"\d{4}")
# PubTator Central writes a whole citation where the journal's name belongs.
_CITATION = re.compile(r"(?P<journal>[^;]+?)\s*;\s*(?P<year>\d{4})\b(?P<rest>.*)", re.DOTALL)
_DOI = re.compile(r"\bdoi:\s*(\S+)")
_SECTIONS = {
    "front": "title",
    "paragraph": "body",
    "fig": "caption",
    "fig_caption": "caption",
    "fig_title_caption": "caption",
    "table_caption": "caption",
    "table_title_caption": "caption",
    "table_footnote": "footnote",
    "table_foot": "footnote",
}
_HEADING = re.compile(r"(?:.+_)?title_\d")
_REFERENCES = frozenset({"ref", "reference"})
_TEXT = "text"
_MOST_PADDING = 1000


@dataclass(frozen=True, slots=True)
class BiocAnnotation:
    """An annotation as the file has it; `locations` are (offset, length) pairs."""

    annotation_id: str
    locations: tuple[tuple[int, int], ...]
    text: str
    infons: Infons


@dataclass(frozen=True, slots=True)
class BiocSpan:
    """A passage or a sentence as the file has it; a passage has a text, or sentences."""

    offset: int
    text: str
    infons: Infons
    annotations: tuple[BiocAnnotation, ...]
    sentences: tuple["BiocSpan", ...] = ()


@dataclass(frozen=True, slots=True)
class BiocDocument:
    """A document as the file has it."""

    document_id: str
    infons: Infons
    passages: tuple[BiocSpan, ...]
    annotations: tuple[BiocAnnotation, ...]
    relations: tuple[ForeignRelation, ...]


def bioc_record(found: BiocDocument, origin: Origin) -> ForeignDocument:
    """The document: text to the letter, since offsets count on it; passages without text and references left out.

    Raises:
        RecordFault: it has no id or no text.
    """
    if not found.document_id.strip():
        raise RecordFault(RejectReason.MISSING_ID, "the document has no id")
    doc_id = f"{origin.source}:{found.document_id.strip()}"
    kept = [(span, text) for span in found.passages if (text := passage_text(span)).strip() and not _is_reference(span)]
    if not kept:
        raise RecordFault(RejectReason.NO_TEXT, "no passage has text", doc_id=doc_id)
    passages = tuple(_passage(span, text) for span, text in kept)
    return ForeignDocument(
        doc_id=doc_id,
        source=origin.source,
        version=1,
        lang=detect_language("".join(passage.text for passage in passages)),
        passages=passages,
        meta=_meta(found, origin),
        passage_offsets=tuple(span.offset for span, _ in kept),
        annotations=tuple(_annotations(found, kept)),
        relations=found.relations,
    )


def passage_text(span: BiocSpan) -> str:
    """The text of a passage; where it has none, that of its sentences, each at its own offset if the offsets allow."""
    text = span.text
    for sentence in span.sentences if not text else ():
        gap = sentence.offset - span.offset - len(text)
        padding = gap if 0 <= gap <= _MOST_PADDING else min(len(text), 1)
        text += " " * padding + sentence.text
    return text


def _passage(span: BiocSpan, text: str) -> Passage:
    infons = dict(span.infons)
    label = infons.get("section_type", "")
    return Passage(_section(infons), label, detect_language(text), text)


def _section(infons: dict[str, str]) -> str:
    stated = (infons.get("type") or infons.get("section_type") or infons.get("section") or _TEXT).strip().lower()
    if _HEADING.fullmatch(stated):
        return "heading"
    return _SECTIONS.get(stated, stated)


def _is_reference(span: BiocSpan) -> bool:
    infons = dict(span.infons)
    return infons.get("type", "").lower() in _REFERENCES or infons.get("section_type", "").lower() in _REFERENCES


def _meta(found: BiocDocument, origin: Origin) -> DocumentMeta:
    infons = dict(pair for span in reversed(found.passages) for pair in span.infons) | dict(found.infons)
    journal = infons.get("journal", "").strip()
    cited = _CITATION.match(journal)
    year = _YEAR.search(infons.get("year", "")) or (_YEAR.match(cited["year"]) if cited else None)
    return DocumentMeta(
        ids=tuple(_identifiers(infons, cited["rest"] if cited else "")),
        journal=cited["journal"] if cited else journal,
        year=year.group() if year else "",
        input_file=origin.input_file,
        record_number=origin.record_number,
    )


def _identifiers(infons: dict[str, str], citation: str) -> Iterator[tuple[str, str]]:
    """The ids that a file names as such; a bare document id may be anything, so it is none of them."""
    match = _PMID.match(infons.get("_id", ""))
    stated = infons.get("article-id_pmid") or infons.get("pmid", "")
    if pmid := normal_pmid(stated) or (match.group(1) if match else ""):
        yield "pmid", pmid
    if pmc := normal_pmcid(infons.get("article-id_pmc") or infons.get("pmcid", "")):
        yield "pmc", pmc
    cited = _DOI.search(citation)
    if doi := normal_doi(infons.get("article-id_doi") or infons.get("doi", "") or (cited.group(1) if cited else "")):
        yield "doi", doi


def _annotations(found: BiocDocument, kept: list[tuple[BiocSpan, str]]) -> Iterator[ForeignAnnotation]:
    index_of = {id(span): index for index, (span, _) in enumerate(kept)}
    for span in found.passages:
        index = index_of.get(id(span))
        offset, text = (span.offset, kept[index][1]) if index is not None else (0, "")
        for annotation in (*span.annotations, *_of_sentences(span.sentences)):
            yield _foreign(annotation, index, offset, text)
    for annotation in found.annotations:
        yield _at_document(annotation, kept)


def _of_sentences(sentences: Iterable[BiocSpan]) -> Iterator[BiocAnnotation]:
    for sentence in sentences:
        yield from sentence.annotations


def _at_document(annotation: BiocAnnotation, kept: list[tuple[BiocSpan, str]]) -> ForeignAnnotation:
    """An annotation of the document as a whole belongs to the passage that holds its text, if there is one."""
    for index, (span, text) in enumerate(kept):
        placed = _foreign(annotation, index, span.offset, text)
        if placed.fits:
            return placed
    return _foreign(annotation, None, 0, "")


def _foreign(annotation: BiocAnnotation, index: int | None, offset: int, text: str) -> ForeignAnnotation:
    locations = tuple((start, start + length) for start, length in annotation.locations)
    return ForeignAnnotation(
        annotation_id=annotation.annotation_id,
        passage_index=index,
        locations=locations,
        text=annotation.text,
        infons=annotation.infons,
        fits=fits_text(text, offset, locations=locations, mention=annotation.text),
    )
