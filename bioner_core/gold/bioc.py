"""BioC XML, BioC JSON and PubTator text, by the readers that `bioner annotate` has for them."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bioner_core.errors import InputError
from bioner_core.formats.annotated import ForeignAnnotation, ForeignDocument, ForeignRelation
from bioner_core.formats.bioc_json import BiocJsonReader
from bioner_core.formats.contract import Reader
from bioner_core.formats.pubtator import PubtatorReader
from bioner_core.gold.files import head_of
from bioner_core.gold.placing import Mark, joined_passages, placed_record
from bioner_core.gold.record import ImportedRecord, Misfit, MisfitKind
from bioner_core.records import Reject, RejectReason

_CONCEPTS = ("identifier", "MESH", "NCBI Gene", "NCBI Taxonomy")
_NO_CONCEPT = ("", "-")
_NESTED_IN = "nested-in"


class ReaderForm:
    """A form that readers of dumps read, with the annotations that came with the text.

    `readers` gives those that may take a file that begins so.
    """

    def __init__(self, name: str, readers: Callable[[bytes], Sequence[Reader]]) -> None:
        self.name = name
        self._readers = readers

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether one of the readers takes the file for its own."""
        return any(reader.recognises(head) for reader in self._readers(head))

    def read(self, path: Path) -> Iterator[ImportedRecord]:
        """A record for each document, its passages with an empty line between them.

        Raises:
            InputError: a document is broken; the message names the file and the document's number in it, from 1.
        """
        # Imported late, since it imports every reader: gold of bioner's own form is read where there is no lxml.
        from bioner_core.formats.reader import read_records

        head = head_of(path)
        readers = self._readers(head)
        reader = next((one for one in readers if one.recognises(head)), readers[0])
        for number, found in enumerate(read_records(str(path), format_name=reader.name), start=1):
            if isinstance(found, Reject) and found.reason is RejectReason.NO_TEXT:
                misfit = Misfit(MisfitKind.NO_TEXT, f"{path}, document {number}", found.doc_id)
                yield ImportedRecord(None, (misfit,))
            elif isinstance(found, Reject):
                raise InputError(f"{path}, document {number}: {found.reason}: {found.message}")
            if isinstance(found, ForeignDocument):
                yield _imported(found, f"{path}, document {number} ({_own_id(found)})")


def _own_id(document: ForeignDocument) -> str:
    return document.doc_id.removeprefix(f"{document.source}:")


def _imported(document: ForeignDocument, where: str) -> ImportedRecord:
    text, starts = joined_passages(passage.text for passage in document.passages)
    marks: list[Mark] = []
    misfits: list[Misfit] = []
    for annotation in document.annotations:
        infons = dict(annotation.infons)
        place = f"{where}, annotation {annotation.annotation_id}"
        if infons.get("accepted") == "false":
            misfits.append(Misfit(MisfitKind.TURNED_DOWN, place, annotation.text[:60]))
        elif (moved := _moved(document, annotation, starts)) is None:
            said = f"{annotation.locations} says {annotation.text!r:.60}; the passage has other text there"
            misfits.append(Misfit(MisfitKind.OFFSETS, place, said))
        else:
            marks.append(Mark(moved, infons.get("type", ""), place, None, _concept(infons)))
    misfits += [Misfit(MisfitKind.NO_SPAN, where, _said(one)) for one in document.relations if not _is_ours(one)]
    return placed_record(_own_id(document), text, marks=marks, misfits=misfits)


def _moved(
    document: ForeignDocument, annotation: ForeignAnnotation, starts: list[int]
) -> tuple[tuple[int, int], ...] | None:
    """The pieces in the record's text; None where they do not fit the passage."""
    if not annotation.fits or annotation.passage_index is None:
        return None
    shift = starts[annotation.passage_index] - document.passage_offsets[annotation.passage_index]
    return tuple((start + shift, end + shift) for start, end in annotation.locations)


def _concept(infons: dict[str, str]) -> str:
    found = next((infons[name] for name in _CONCEPTS if infons.get(name)), "")
    return "" if found in _NO_CONCEPT else found


def _is_ours(relation: ForeignRelation) -> bool:
    """Whether it says what the spans say already: that one mention lies in another."""
    return dict(relation.infons).get("type") == _NESTED_IN


def _said(relation: ForeignRelation) -> str:
    return f"relation {relation.relation_id} {dict(relation.infons).get('type', '')}"


def _bioc_readers(head: bytes) -> Sequence[Reader]:
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return (BiocJsonReader(),)
    from bioner_core.formats.bioc_xml import BiocXmlReader

    return (BiocXmlReader(), BiocJsonReader())


BIOC = ReaderForm("bioc", _bioc_readers)
"""BioC, XML and JSON."""

PUBTATOR = ReaderForm("pubtator", lambda _: (PubtatorReader(),))
"""PubTator text."""
