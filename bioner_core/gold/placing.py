"""Marks of a file, put into the text of a record: the same checks for every form."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bioner_core.formats.languages import detect_language
from bioner_core.gold.record import GoldRecord, ImportedRecord, Misfit, MisfitKind, crossing_pairs
from bioner_core.mentions import Span

PASSAGE_BREAK = "\n\n"
"""Stands between the passages of one document; a sentence never goes across it, as none goes across passages."""


def joined_passages(texts: Iterable[str]) -> tuple[str, list[int]]:
    """The passages of a document as one text, `PASSAGE_BREAK` between them, and where in it each of them begins."""
    pieces, starts, length = [], [], 0
    for text in texts:
        pieces.append(text)
        starts.append(length)
        length += len(text) + len(PASSAGE_BREAK)
    return PASSAGE_BREAK.join(pieces), starts


@dataclass(frozen=True, slots=True)
class Mark:
    """An entity as a file has it.

    `pieces` are (start, end) in the record's text; `text` is what the file says stands there, None where it says
    nothing; `where` names the place in the file.
    """

    pieces: tuple[tuple[int, int], ...]
    type: str
    where: str
    text: str | None = None
    concept: str = ""


def placed_record(
    record_id: str, text: str, *, marks: Iterable[Mark], lang: str = "", misfits: Sequence[Misfit] = ()
) -> ImportedRecord:
    """The record with every mark that is one run of its text; the others are misfits.

    Pieces with nothing but blanks between them are one run: that is how brat writes a mention across a line end. The
    language is told from the script unless it is given. Of crossing spans both are kept, and the pair is reported.
    """
    spans: dict[Span, str] = {}
    where: dict[Span, str] = {}
    found = list(misfits)
    for mark in marks:
        placed = _placed(mark, text)
        if isinstance(placed, Misfit):
            found.append(placed)
        else:
            if placed in spans:
                found.append(Misfit(MisfitKind.DOUBLE, mark.where, _shown(placed, text)))
            spans[placed] = spans.get(placed) or mark.concept
            where.setdefault(placed, mark.where)
    concepts = {span: concept for span, concept in spans.items() if concept}
    record = GoldRecord(record_id, lang or detect_language(text), text, frozenset(spans), concepts)
    return ImportedRecord(record, (*found, *crossings(record, where)))


def crossings(record: GoldRecord, where: Mapping[Span, str]) -> Iterator[Misfit]:
    """What is to be told of spans that cross; `where` names the places of those that the file has one for."""
    for outer, inner in crossing_pairs(record.spans):
        said = f"{_shown(outer, record.text)} and {_shown(inner, record.text)}; both are kept"
        yield Misfit(MisfitKind.CROSSING, where.get(inner, f"record {record.record_id}"), said)


def _placed(mark: Mark, text: str) -> Span | Misfit:
    if not mark.type:
        return Misfit(MisfitKind.NO_TYPE, mark.where, f"{_ranges(mark)} has no type")
    pieces = sorted(mark.pieces)
    if not pieces or any(not 0 <= start < end <= len(text) for start, end in pieces):
        return Misfit(
            MisfitKind.OFFSETS, mark.where, f"{_ranges(mark)} is empty or outside the text of {len(text)} characters"
        )
    if any(text[end:start].strip() or start < end for (_, end), (start, _) in pairwise(pieces)):
        return Misfit(MisfitKind.DISCONTINUOUS, mark.where, f"{_ranges(mark)} {mark.type}: {_words(pieces, text)!r}")
    start, end = pieces[0][0], pieces[-1][1]
    if mark.text is not None and mark.text.split() != text[start:end].split():
        said = f"{_ranges(mark)} says {mark.text!r:.80}, the text there is {text[start:end]!r:.80}"
        return Misfit(MisfitKind.OFFSETS, mark.where, said)
    return Span(start, end, mark.type)


def _words(pieces: Sequence[tuple[int, int]], text: str) -> str:
    return " … ".join(text[start:end] for start, end in pieces)[:80]


def _ranges(mark: Mark) -> str:
    return ";".join(f"{start}:{end}" for start, end in mark.pieces) or "an entity without offsets"


def _shown(span: Span, text: str) -> str:
    return f"{span.start}:{span.end} {span.type} {text[span.start : span.end]!r:.40}"
