"""The document pass over gold records: what a store would accept, in the form that scores compare."""

from collections.abc import Sequence

from bioner_core.documents import Document, Passage, Sentence
from bioner_core.evaluation.corpora import GoldRecord
from bioner_core.inference.placement import place_candidates
from bioner_core.mentions import Candidate, Mention
from bioner_core.store.mention_ids import document_prefix

_GOLD = "gold"


def are_documents(sentences: Sequence[Sequence[Sentence]]) -> bool:
    """Whether some record has several sentences, so that a document pass has something to see."""
    return any(len(group) > 1 for group in sentences)


def finished_rows(
    record: GoldRecord, sentences: Sequence[Sentence], *, rows: Sequence[Sequence[Candidate]], label_set: str
) -> list[tuple[Candidate, ...]]:
    """The candidates of each sentence of a record after the document pass, offsets into their sentence.

    Those that the decoder gave are decided on as `bioner annotate` does; those that the pass proposes stand beside
    them.
    """
    # Imported late, since it takes pyarrow: training and scoring of single sentences run where there is none.
    from bioner_core.document_pass.finish import finish_document

    document = gold_document(record)
    prefix = document_prefix(document.doc_id, document.version)
    mentions = [
        mention
        for sentence, row in zip(sentences, rows, strict=True)
        for mention in place_candidates(document, sentence, candidates=row, label_set=label_set, id_prefix=prefix)
    ]
    found: dict[int, list[Candidate]] = {one.index: [] for one in sentences}
    for one in finish_document(document, mentions).mentions:
        found[one.sentence_index].append(_candidate(one, sentences[one.sentence_index]))
    return [tuple(found[one.index]) for one in sentences]


def gold_document(record: GoldRecord) -> Document:
    """A gold record as a document of one passage."""
    passage = Passage(section="text", label="", lang=record.lang, text=record.text)
    return Document(f"{_GOLD}:{record.record_id}", _GOLD, 1, record.lang, (passage,))


def _candidate(mention: Mention, sentence: Sentence) -> Candidate:
    start, end = mention.start - sentence.start, mention.end - sentence.start
    return Candidate(start, end, mention.type, mention.tag_score, mention.selector_score, mention.accepted)
