"""From candidates of one sentence to mentions of its document: offsets shifted, nesting found, ids given."""

from collections.abc import Sequence

from bioner_core.documents import Document, Sentence
from bioner_core.errors import StoreError
from bioner_core.mentions import Candidate, Mention, depths, parent_indices
from bioner_core.store.mention_ids import place_suffix


def candidate_fault(candidates: Sequence[Candidate], text: str) -> str:
    """What is wrong with the offsets of an annotator's answer for `text`, in words; empty when all is well."""
    for candidate in candidates:
        if not 0 <= candidate.start < candidate.end <= len(text):
            return f"the annotator gave a span {candidate.start} to {candidate.end} in a text of {len(text)} characters"
    return ""


def place_candidates(
    document: Document, sentence: Sentence, *, candidates: Sequence[Candidate], label_set: str, id_prefix: str
) -> list[Mention]:
    """The mentions of one sentence and one label set, outer ones first, with offsets into the passage.

    Two candidates with the same edges and type are one mention: the one with the higher tag score.

    Raises:
        StoreError: the sentence does not lie where it says in its passage.
    """
    passage = document.passages[sentence.passage_index]
    if passage.text[sentence.start : sentence.end] != sentence.text:
        raise StoreError(
            f"{document.doc_id}: sentence {sentence.index} of passage {sentence.passage_index} is not the text at "
            f"{sentence.start} to {sentence.end}; the sentence splitter is at fault"
        )
    distinct = _distinct(candidates)
    parents = parent_indices(distinct)
    ids = [id_prefix + _suffix(sentence, candidate, label_set) for candidate in distinct]
    return [
        Mention(
            mention_id=ids[index],
            doc_id=document.doc_id,
            doc_version=document.version,
            passage_index=sentence.passage_index,
            section=passage.section,
            lang=sentence.lang,
            sentence_index=sentence.index,
            start=sentence.start + candidate.start,
            end=sentence.start + candidate.end,
            text=sentence.text[candidate.start : candidate.end],
            label_set=label_set,
            type=candidate.type,
            parent_id=None if parent is None else ids[parent],
            depth=depth,
            tag_score=candidate.tag_score,
            selector_score=candidate.selector_score,
            accepted=candidate.accepted,
        )
        for index, (candidate, parent, depth) in enumerate(zip(distinct, parents, depths(parents), strict=True))
    ]


def _distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    by_span: dict[tuple[int, int, str], Candidate] = {}
    for candidate in sorted(candidates, key=lambda one: one.tag_score):
        by_span[(candidate.start, -candidate.end, candidate.type)] = candidate
    return [by_span[span] for span in sorted(by_span)]


def _suffix(sentence: Sentence, candidate: Candidate, label_set: str) -> str:
    start, end = sentence.start + candidate.start, sentence.start + candidate.end
    return place_suffix(sentence.passage_index, start=start, end=end, label_set=label_set, type_name=candidate.type)
