"""The sentences of a gold corpus, as the pipeline would cut them."""

from collections.abc import Sequence
from dataclasses import replace

from bioner_core.evaluation.assembly import record_sentences, spans_by_sentence
from bioner_core.evaluation.corpora import GoldRecord
from bioner_core.mentions import GoldSentence, Span
from bioner_core.text.folding import fold


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
