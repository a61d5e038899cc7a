"""PubTator text: `id|t|title`, `id|a|abstract`, then one annotation or relation a line with tabs; a blank line ends it.

Offsets of the file count characters of the title, one separator and the abstract; a blank at the end of the title is
that separator.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from bioner_core.documents import DocumentMeta, Passage
from bioner_core.formats.annotated import ForeignAnnotation, ForeignDocument, ForeignRelation, fits_text
from bioner_core.formats.contract import (
    MAX_RECORD_BYTES,
    ByteSource,
    Origin,
    PendingRecord,
    Reader,
    RecordFault,
)
from bioner_core.formats.encoding import decoded_text, first_line
from bioner_core.formats.identifiers import normal_pmid
from bioner_core.formats.languages import detect_language
from bioner_core.records import RejectReason

_TEXT_LINE = re.compile(r"\ufeff?(?P<id>[^\s|]{1,200})\|(?P<kind>[a-zA-Z])\|(?P<text>.*)", re.DOTALL)
_SECTIONS = {"t": "title", "a": "abstract"}
_PMID = re.compile(r"\d{1,10}")
_OFFSET = re.compile(r"\d{1,12}", re.ASCII)
_KIND_OF_TEXT = "text"


class PubtatorReader(Reader):
    """Reads PubTator text; the annotations of the file come with the document, apart from its text."""

    name = "pubtator"
    source = "pubtator"

    def recognises(self, head: bytes) -> bool:
        """Whether the first line is a title's."""
        match = _TEXT_LINE.match(first_line(head))
        return match is not None and match["kind"] == "t"

    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        """Walk the documents in file order; a document begins at its title, or after a blank line.

        Raises:
            FileFault: no encoding fits, or the file breaks off; then the document that is still open is not given.
        """
        with decoded_text(stream) as text:
            held = _OpenDocument()
            for line in text.lines:
                separates = line.endswith("\n") and not line.strip()
                line = line.removesuffix("\n")
                match = _TEXT_LINE.match(line)
                if held.size and (separates or (match and match["kind"] == "t")):
                    yield partial(_document, held)
                    held = _OpenDocument()
                if line.strip():
                    held.add(line, match)
            # Where the file breaks off, nobody can tell whether the last document is whole.
            if text.fault is not None:
                raise text.fault
            if held.size:
                yield partial(_document, held)


@dataclass(slots=True)
class _OpenDocument:
    """The lines of a document while they come in; past the cap on its size nothing more is kept."""

    size: int = 0
    identifier: str = ""
    texts: list[tuple[str, str]] = field(default_factory=list)
    lines: list[list[str]] = field(default_factory=list)
    misplaced: str = ""

    def add(self, line: str, match: re.Match[str] | None) -> None:
        self.size += len(line)
        if self.size > MAX_RECORD_BYTES:
            self.texts.clear()
            self.lines.clear()
        elif match is not None and not self.lines:
            self.identifier = self.identifier or match["id"]
            self.texts.append((match["kind"], match["text"].rstrip()))
        elif "\t" in line:
            self.lines.append(line.split("\t"))
        else:
            self.misplaced = self.misplaced or line


def _document(held: _OpenDocument, origin: Origin) -> ForeignDocument:
    doc_id = f"{origin.source}:{held.identifier}" if held.identifier else ""
    if held.size > MAX_RECORD_BYTES:
        fault = f"the document takes more than {MAX_RECORD_BYTES} characters"
        raise RecordFault(RejectReason.TOO_LARGE, fault, doc_id=doc_id)
    if held.misplaced:
        fault = f"a line is neither text nor an annotation: {held.misplaced[:60]!a}"
        raise RecordFault(RejectReason.MALFORMED, fault, doc_id=doc_id)
    if not doc_id:
        raise RecordFault(RejectReason.MISSING_ID, "annotations stand without the text of a document")
    placed = list(_placed(held.texts))
    if not placed:
        raise RecordFault(RejectReason.NO_TEXT, "neither title nor abstract has text", doc_id=doc_id)
    passages = tuple(passage for _, passage in placed)
    pmid = normal_pmid(held.identifier)
    return ForeignDocument(
        doc_id=doc_id,
        source=origin.source,
        version=1,
        lang=detect_language("".join(passage.text for passage in passages)),
        passages=passages,
        meta=DocumentMeta(
            ids=(("pmid", pmid),) if pmid and _PMID.fullmatch(pmid) else (),
            input_file=origin.input_file,
            record_number=origin.record_number,
        ),
        passage_offsets=tuple(offset for offset, _ in placed),
        annotations=tuple(_annotations(held, placed)),
        relations=tuple(_relations(held)),
    )


def _placed(texts: list[tuple[str, str]]) -> Iterator[tuple[int, Passage]]:
    """Each text that is not blank with its offset in the document: one separator stands between two texts."""
    offset = 0
    for kind, text in texts:
        if text.strip():
            yield offset, Passage(_SECTIONS.get(kind.lower(), _KIND_OF_TEXT), "", detect_language(text), text)
        offset += len(text) + 1


def _is_annotation(fields: list[str]) -> bool:
    return len(fields) >= 5 and all(_OFFSET.fullmatch(field) for field in fields[1:3])


def _annotations(held: _OpenDocument, placed: list[tuple[int, Passage]]) -> Iterator[ForeignAnnotation]:
    for number, fields in enumerate(filter(_is_annotation, held.lines)):
        start, end = int(fields[1]), int(fields[2])
        index = next((i for i in reversed(range(len(placed))) if placed[i][0] <= start), None)
        offset, text = (placed[index][0], placed[index][1].text) if index is not None else (0, "")
        yield ForeignAnnotation(
            annotation_id=str(number),
            passage_index=index,
            locations=((start, end),),
            text=fields[3],
            infons=(("type", fields[4]), *(("identifier", value) for value in fields[5:6])),
            fits=fits_text(text, offset, locations=((start, end),), mention=fields[3]),
        )


def _relations(held: _OpenDocument) -> Iterator[ForeignRelation]:
    """Lines without offsets: the kind of the relation, then the concepts that it joins."""
    for number, fields in enumerate(line for line in held.lines if not _is_annotation(line)):
        nodes = tuple((concept, "") for concept in fields[2:] if concept)
        yield ForeignRelation(str(number), nodes, (("type", fields[1]),))
