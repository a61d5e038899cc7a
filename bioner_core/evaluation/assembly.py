"""Between a record and its sentences: gold spans into sentences, candidates back into the record."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from bioner_core.documents import Passage, Sentence
from bioner_core.evaluation.corpora import GoldRecord
from bioner_core.mentions import Candidate, Span
from bioner_core.text.sentences import split_passage


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
