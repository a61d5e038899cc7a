"""The sentences of a gold corpus, as the pipeline would cut them."""

from collections.abc import Sequence

from bioner_core.evaluation.assembly import record_sentences, spans_by_sentence
from bioner_core.evaluation.corpora import GoldRecord
from bioner_core.mentions import GoldSentence


def gold_sentences(records: Sequence[GoldRecord]) -> list[GoldSentence]:
    """The sentences of gold records, each with the gold spans that lie in it whole."""
    found: list[GoldSentence] = []
    for record in records:
        sentences = record_sentences(record)
        for sentence, spans in zip(sentences, spans_by_sentence(sentences, record.spans), strict=True):
            found.append(GoldSentence(sentence.text, spans))
    return found
