"""The finish pass over one document: from the candidates of its sentences to the mentions of the whole.

Pure: the same document and candidates give the same mentions; the model is never asked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bioner_core.document_pass.abbreviation_pairs import AbbreviationPair, abbreviation_pairs
from bioner_core.document_pass.assertion import assertion_of
from bioner_core.document_pass.placed import Sentences, placed
from bioner_core.document_pass.proposals import DECODER, Proposal, Scorer, proposals
from bioner_core.document_pass.settings import FinishSettings, probability
from bioner_core.documents import Document
from bioner_core.labels.label_set import LabelSetChoice
from bioner_core.mentions import Mention
from bioner_core.models.tag_choice import accepts
from bioner_core.store.document_mentions import reading_order
from bioner_core.store.mention_ids import document_prefix

_Part = tuple[list[Mention], list[Proposal]]
"""The decoder's mentions of one label set as they were decided on, and what is proposed beside them."""


@dataclass(frozen=True, slots=True)
class FinishedDocument:
    """The mentions of a document in the order of its text, each with its origin, and the abbreviations it defines."""

    mentions: tuple[Mention, ...]
    abbreviations: tuple[AbbreviationPair, ...]


def decoder_candidates(mentions: Iterable[Mention]) -> list[Mention]:
    """Of finished mentions, those that the decoder gave: finishing them again gives the same mentions.

    The pass writes beside them and changes none of them but for `accepted`, which their scores say anew.
    """
    return [one for one in mentions if one.origin in (None, DECODER)]


def finish_mentions(
    document: Document,
    candidates: Sequence[Mention],
    *,
    settings: FinishSettings,
    label_sets: Sequence[LabelSetChoice],
    id_prefix: str | None = None,
) -> tuple[Mention, ...]:
    """The mentions of a document, accepted or turned down, by thresholds and, where it is to run, the pass.

    Each says what its sentence says of it.

    `candidates` are all that the decoder gave; whether they say that they are accepted does not count. `label_sets` say
    in passages of which languages the names of each are looked for again; one that is not among them is for all.
    `id_prefix` is that of their ids, if it is not the plain one.

    Raises:
        StoreError: a sentence does not lie where it says.
    """
    if not candidates:
        return ()
    thresholds = dict(settings.thresholds)
    decided = [
        replace(one, accepted=accepts(thresholds, one.label_set, type_name=one.type, score=one.selector_score))
        for one in candidates
    ]
    sentences = Sentences(document)
    if settings.document_pass:
        _, parts = _proposed(document, decided, label_sets, probability)
    else:
        parts = [(own, []) for own in _by_label_set(decided).values()]
    found = _finished(document, parts, sentences, id_prefix)
    return tuple(replace(one, assertion=_assertion(one, sentences)) for one in found)


def finish_document(
    document: Document, candidates: Sequence[Mention], *, id_prefix: str | None = None, scorer: Scorer = probability
) -> FinishedDocument:
    """The document pass: one type for one name, short forms with their long forms, repeats as scored candidates.

    `candidates` are all of the decoder's, accepted as its selector says; `id_prefix` is as for `finish_mentions`. What
    runs over a store is that one: it decides by thresholds first, and says what each sentence says of a mention. This
    is for gold records, whose annotator has decided already, and for the fit of the repeats' weights, which tries
    other scorers.

    Raises:
        StoreError: a sentence does not lie where it says.
    """
    pairs, parts = _proposed(document, candidates, (), scorer)
    return FinishedDocument(_finished(document, parts, Sentences(document), id_prefix), tuple(pairs))


def _proposed(
    document: Document, candidates: Sequence[Mention], label_sets: Sequence[LabelSetChoice], scorer: Scorer
) -> tuple[list[AbbreviationPair], list[_Part]]:
    known = ((one.passage_index, one.start, one.end) for one in candidates if one.accepted)
    pairs = abbreviation_pairs(document.passages, known=known)
    choices = {one.name: one for one in label_sets}
    return pairs, [
        proposals(document, own, label_set=choices.get(name, LabelSetChoice(name)), pairs=pairs, scorer=scorer)
        for name, own in _by_label_set(candidates).items()
    ]


def _assertion(mention: Mention, sentences: Sentences) -> str | None:
    sentence = sentences.of(mention.passage_index, start=mention.start, end=mention.end)
    if sentence is None:
        return None
    start, end = mention.start - sentence.start, mention.end - sentence.start
    return assertion_of(sentence.text, start=start, end=end, lang=sentence.lang)


def _by_label_set(candidates: Sequence[Mention]) -> dict[str, list[Mention]]:
    names = sorted({one.label_set for one in candidates})
    return {name: [one for one in candidates if one.label_set == name] for name in names}


def _finished(
    document: Document, parts: Sequence[_Part], sentences: Sentences, id_prefix: str | None
) -> tuple[Mention, ...]:
    prefix = document_prefix(document.doc_id, document.version) if id_prefix is None else id_prefix
    found = [
        mention
        for own, new in parts
        for mention in placed(document, own, proposed=new, sentences=sentences, id_prefix=prefix)
    ]
    return tuple(sorted(found, key=reading_order))
