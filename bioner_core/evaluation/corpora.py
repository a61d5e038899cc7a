"""Gold corpora as evaluation and training read them: in bioner's own form, or in any form that is imported.

Their sentences are those that the pipeline would cut: gold spans are led into them, candidates back into the record.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bioner_core.documents import Passage, Sentence
from bioner_core.gold.forms import read_gold
from bioner_core.gold.record import GoldRecord
from bioner_core.gold.renaming import with_types
from bioner_core.mentions import Candidate, GoldSentence, Span
from bioner_core.text.folding import fold
from bioner_core.text.sentences import split_passage

__all__ = ["GoldRecord", "read_corpus", "with_types"]


def read_corpus(path: str | Path) -> Iterator[GoldRecord]:
    """The records of a gold corpus in file order; form and gzip are told by the content.

    Bioner's own form is JSON lines: `{"id", "lang", "text", "entities": [{"start", "end", "type"}]}`. The others are
    those of `bioner_core.gold.forms`: brat, BioC, PubTator, CoNLL, Label Studio, doccano, and bioner's exports.

    Raises:
        InputError: the file cannot be read, breaks its form, or has an entity that does not fit its text; the message
            names the file and the line, counted from 1.
    """
    yield from read_gold(Path(path))


def record_sentences(record: GoldRecord) -> list[Sentence]:
    """The sentences of a gold record, split as a passage of a document is; offsets into `record.text`."""
    return split_passage(Passage(section="text", label="", lang=record.lang, text=record.text), 0)


def spans_in_record(
    sentences: Sequence[Sentence], candidates_per_sentence: Sequence[Sequence[Candidate]]
) -> frozenset[Span]:
    """The spans of all candidates (offsets into their sentence) in offsets of the record.

    A length mismatch raises ValueError: results that are
    missing or doubled must not pass for a sentence without entities.
    """
    return frozenset(
        Span(sentence.start + candidate.start, sentence.start + candidate.end, candidate.type)
        for sentence, candidates in zip(sentences, candidates_per_sentence, strict=True)
        for candidate in candidates
    )


def spans_by_sentence(sentences: Sequence[Sentence], spans: Iterable[Span]) -> list[frozenset[Span]]:
    """For each sentence, the spans of the record that lie whole inside it, in offsets of that sentence.

    A span that crosses an edge of a sentence is in no set: no annotator of single sentences can find it.
    """
    starts = [sentence.start for sentence in sentences]
    placed: list[set[Span]] = [set() for _ in sentences]
    for span in spans:
        index = bisect_right(starts, span.start) - 1
        if index >= 0 and span.end <= sentences[index].end:
            origin = sentences[index].start
            placed[index].add(Span(span.start - origin, span.end - origin, span.type))
    return [frozenset(found) for found in placed]


def as_read(text: str, spans: frozenset[Span], *, keep: str = "") -> tuple[str, frozenset[Span]]:
    """A text and its spans as a model reads them, folded but for the characters of `keep`.

    A span of which nothing is left there is left out.
    """
    folded = fold(text, keep=keep)
    if folded.ends is None:
        return folded.text, spans
    starts = (0, *folded.ends)
    moved = (replace(one, start=starts[one.start], end=folded.ends[one.end - 1]) for one in spans)
    return folded.text, frozenset(one for one in moved if one.start < one.end)


def gold_sentences(records: Sequence[GoldRecord], *, keep: str = "") -> list[GoldSentence]:
    """The sentences of gold records as a model reads them, each with the gold spans that lie in it whole.

    `keep` are the characters that the model reads as they are.
    """
    found: list[GoldSentence] = []
    for record in records:
        sentences = record_sentences(record)
        for sentence, spans in zip(sentences, spans_by_sentence(sentences, record.spans), strict=True):
            found.append(GoldSentence(*as_read(sentence.text, spans, keep=keep)))
    return found
