"""Candidates and proposals of one document put in their sentences, with nesting and ids as if the decoder had
given all of them."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from bioner_core.document_pass.proposals import DECODER, Proposal
from bioner_core.documents import Document, Sentence
from bioner_core.inference.placement import place_candidates
from bioner_core.mentions import Candidate, Mention
from bioner_core.text.sentences import split_passage

_Held = dict[tuple[int, int, str], tuple[Candidate, str]]
"""Candidates of one sentence with their origins, by start, end and type."""


class Sentences:
    """The sentences of a document, by place; a passage is split when it is first asked for."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._of: dict[int, tuple[list[int], list[Sentence]]] = {}

    def of(self, passage_index: int, *, start: int, end: int) -> Sentence | None:
        """The sentence that holds a span whole, None where it goes over an end."""
        if passage_index not in self._of:
            found = list(split_passage(self._document.passages[passage_index], passage_index))
            self._of[passage_index] = [one.start for one in found], found
        starts, sentences = self._of[passage_index]
        place = bisect_right(starts, start) - 1
        return sentences[place] if place >= 0 and end <= sentences[place].end else None


def placed(
    document: Document,
    mentions: Sequence[Mention],
    *,
    proposed: Sequence[Proposal],
    sentences: Sentences,
    id_prefix: str,
) -> list[Mention]:
    """All mentions of one label set, the decoder's and the proposed ones; of those only what fits between is accepted.

    Of two proposals that do not go together the longer is accepted, wherever their names come first in the document.

    Raises:
        StoreError: a sentence does not lie where it says.
    """
    if not mentions:
        return []
    rows: dict[Sentence, _Held] = defaultdict(dict)
    for one in mentions:
        sentence = sentences.of(one.passage_index, start=one.start, end=one.end)
        if sentence is not None:
            start, end = one.start - sentence.start, one.end - sentence.start
            made = Candidate(start, end, one.type, one.tag_score, one.selector_score, one.accepted)
            _put(rows[sentence], made, DECODER)
    for fresh in sorted(proposed, key=_first_come):
        sentence = sentences.of(fresh.passage_index, start=fresh.start, end=fresh.end)
        if sentence is not None:
            start, end = fresh.start - sentence.start, fresh.end - sentence.start
            made = Candidate(start, end, fresh.type, fresh.tag_score, fresh.score, fresh.accepted)
            if made.accepted and not fresh.in_place and not _fits(rows[sentence], made):
                made = replace(made, accepted=False)
            _put(rows[sentence], made, fresh.origin)
    found = []
    for sentence, held in rows.items():
        candidates = [candidate for candidate, _ in held.values()]
        for mention in place_candidates(
            document, sentence, candidates=candidates, label_set=mentions[0].label_set, id_prefix=id_prefix
        ):
            place = (mention.start - sentence.start, mention.end - sentence.start, mention.type)
            found.append(replace(mention, origin=held[place][1]))
    return found


def _first_come(one: Proposal) -> tuple[bool, bool, int, float, int, int, str]:
    """What orders proposals: whatever comes first keeps its place."""
    length = one.end - one.start
    return not one.in_place, not one.accepted, -length, -one.score, one.passage_index, one.start, one.type


def _put(held: _Held, candidate: Candidate, origin: str) -> None:
    place = (candidate.start, candidate.end, candidate.type)
    known = held.get(place)
    if known is None:
        held[place] = (candidate, origin)
    elif candidate.accepted and not known[0].accepted:
        # what the decoder gave and the document speaks for stays the decoder's, with its scores
        held[place] = (replace(known[0], accepted=True), known[1])


def _fits(held: _Held, new: Candidate) -> bool:
    """Whether a new candidate neither crosses an accepted one nor shares its place nor lies inside one."""
    for candidate, _ in held.values():
        if candidate.accepted and candidate.start < new.end and new.start < candidate.end:
            same = (new.start, new.end) == (candidate.start, candidate.end)
            if same or candidate.start < new.start or new.end < candidate.end or candidate.type == new.type:
                return False
    return True
