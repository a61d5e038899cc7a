"""PubMed's text export (`nbib`, MEDLINE display): tags of up to four letters, wrapped lines set in by six blanks."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from bioner_core.documents import Document, DocumentMeta, Passage
from bioner_core.formats.contract import (
    MAX_RECORD_BYTES,
    ByteSource,
    Origin,
    PendingRecord,
    Reader,
    RecordFault,
)
from bioner_core.formats.encoding import decoded_text, first_line
from bioner_core.formats.identifiers import normal_doi, normal_pmcid, normal_pmid
from bioner_core.formats.languages import UNDETERMINED_LANGUAGE, short_code
from bioner_core.formats.pubmed_citation import is_placeholder
from bioner_core.records import RejectReason

_FIELD = re.compile(r"\ufeff?(?P<tag>[A-Z][A-Z0-9]{1,3}) {0,2}- ?(?P<value>.*)")
_FIRST_FIELD = re.compile(r"\ufeff?(?:PMID|OWN )- ")
_ID = re.compile(r"(?P<value>\S+)\s+\[doi\]")
_YEAR = re.compile(r"\d{4}")
_TEXT_LANGUAGE = "en"

_Values = dict[str, list[str]]


class NbibReader(Reader):
    """Reads PubMed's text export: the same citations, under the same ids, as the XML."""

    name = "nbib"
    source = "pubmed"

    def recognises(self, head: bytes) -> bool:
        """Whether the first line is that of a citation."""
        return _FIRST_FIELD.match(first_line(head)) is not None

    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        """Walk the citations in file order; a citation begins at its PMID, or at the first field after a blank line.

        Raises:
            FileFault: no encoding fits, or the file breaks off; then the citation that is still open is not given.
        """
        with decoded_text(stream) as text:
            held = _OpenCitation()
            for line in text.lines:
                match = _FIELD.match(line)
                if held.size and (_is_separator(line) or (match and match["tag"] == "PMID")):
                    yield partial(_document, held)
                    held = _OpenCitation()
                if line.strip():
                    held.add(line, match)
            # Where the file breaks off, nobody can tell whether the last citation is whole.
            if text.fault is not None:
                raise text.fault
            if held.size:
                yield partial(_document, held)


def _is_separator(line: str) -> bool:
    """Whether a line is blank; one that is cut off after blanks may have had more."""
    return line.endswith("\n") and not line.strip()


@dataclass(slots=True)
class _OpenCitation:
    """The fields of a citation while its lines come in; past the cap on its size nothing more is kept."""

    size: int = 0
    fields: list[tuple[str, list[str]]] = field(default_factory=list)
    headless: bool = False

    def add(self, line: str, match: re.Match[str] | None) -> None:
        self.size += len(line)
        if self.size > MAX_RECORD_BYTES:
            self.fields.clear()
        elif match is not None:
            self.fields.append((match["tag"], [match["value"].strip()]))
        elif self.fields:
            self.fields[-1][1].append(line.strip())
        else:
            self.headless = True

    def values(self) -> _Values:
        """The values of each tag in file order, wrapped lines joined with a blank, empty ones left out."""
        found: _Values = {}
        for tag, pieces in self.fields:
            if value := " ".join(piece for piece in pieces if piece):
                found.setdefault(tag, []).append(value)
        return found


def _document(held: _OpenCitation, origin: Origin) -> Document:
    if held.size > MAX_RECORD_BYTES:
        raise RecordFault(RejectReason.TOO_LARGE, f"the citation takes more than {MAX_RECORD_BYTES} characters")
    if held.headless:
        raise RecordFault(RejectReason.MALFORMED, "lines stand before the first field of the citation")
    values = held.values()
    pmid = normal_pmid(_first(values, ("PMID",)))
    if not pmid:
        owner = _first(values, ("OWN",))
        raise RecordFault(RejectReason.MISSING_ID, f"the record has no PMID; its owner is {owner!a}")
    doc_id = f"{origin.source}:{pmid}"
    passages = tuple(_passages(values))
    if not passages:
        raise RecordFault(RejectReason.NO_TEXT, "neither a title nor an abstract has text", doc_id=doc_id)
    year = next(filter(None, (_YEAR.search(_first(values, (tag,))) for tag in ("DP", "DEP", "EDAT"))), None)
    return Document(
        doc_id=doc_id,
        source=origin.source,
        version=1,
        lang=short_code(_first(values, ("LA",))) or UNDETERMINED_LANGUAGE,
        passages=passages,
        meta=DocumentMeta(
            ids=tuple(_identifiers(values, pmid)),
            journal=_first(values, ("JT", "TA")),
            year=year.group() if year else "",
            keywords=tuple(values.get("OT", ())),
            input_file=origin.input_file,
            record_number=origin.record_number,
        ),
    )


def _passages(values: _Values) -> Iterator[Passage]:
    """As those of the XML: English title and abstract, then the texts in other languages."""
    for title in values.get("TI", values.get("BTI", [])):
        if not is_placeholder(title):
            yield Passage("title", "", _TEXT_LANGUAGE, title)
    for abstract in values.get("AB", ()):
        yield Passage("abstract", "", _TEXT_LANGUAGE, abstract)
    languages = [short_code(code) for code in values.get("LA", ())]
    own = next((language for language in languages if language != _TEXT_LANGUAGE), UNDETERMINED_LANGUAGE)
    for title in values.get("TT", ()):
        yield Passage("vernacular_title", "", own, title)
    stated = iter(values.get("OABL", ()))
    for abstract in values.get("OAB", ()):
        yield Passage("other_abstract", "", short_code(next(stated, "")) or _TEXT_LANGUAGE, abstract)


def _identifiers(values: _Values, pmid: str) -> Iterator[tuple[str, str]]:
    yield "pmid", pmid
    if doi := next((match["value"] for value in _located(values) if (match := _ID.search(value))), ""):
        yield "doi", normal_doi(doi)
    if pmc := normal_pmcid(_first(values, ("PMC",))):
        yield "pmc", pmc


def _located(values: _Values) -> Iterable[str]:
    return (*values.get("AID", ()), *values.get("LID", ()))


def _first(values: _Values, tags: Iterable[str]) -> str:
    return next((values[tag][0] for tag in tags if tag in values), "")
