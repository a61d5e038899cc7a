"""The finish pass over one document: from the candidates of its sentences to the mentions of the whole.

Pure: the same document and candidates give the same mentions; the model is never asked.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bioner_core.document_pass.abbreviation_pairs import AbbreviationPair, abbreviation_pairs
from bioner_core.document_pass.occurrences import folded, occurrences
from bioner_core.document_pass.repeat_score import THRESHOLD, RepeatFacts, mean_score, probability
from bioner_core.documents import Document, Sentence
from bioner_core.inference.placement import place_candidates
from bioner_core.mentions import Candidate, Mention
from bioner_core.store.mention_ids import document_prefix
from bioner_core.text.sentences import split_passage

FINISH_VERSION = "1"
"""Part of the finish fingerprint: change it with any rule or weight that finishes a document otherwise."""

DECODER, ABBREVIATION, REPEAT = "decoder", "abbreviation", "repeat"
"""Where a mention comes from."""

_SHORTEST_REPEAT = 3
_SHORTEST_HAN_REPEAT = 2
_MAJORITY = 0.75
_OFTEN, _LEAST_SHARE = 6, 0.25
_UNSUPPORTED = 0.49
"""What the score of a short form that its document does not support is multiplied by, and that of a long form by its
short form alone: corpora seldom mark those, so they stay candidates."""


@dataclass(frozen=True, slots=True)
class FinishedDocument:
    """The mentions of a document in the order of its text, each with its origin, and the abbreviations it defines."""

    mentions: tuple[Mention, ...]
    abbreviations: tuple[AbbreviationPair, ...]


@dataclass(frozen=True, slots=True)
class _New:
    """A mention that the decoder did not give, or gave and the selector turned down."""

    passage_index: int
    start: int
    end: int
    type: str
    origin: str
    tag_score: float
    score: float
    accepted: bool


Scorer = Callable[[RepeatFacts], float]


def finish_document(
    document: Document, candidates: Sequence[Mention], *, id_prefix: str | None = None, scorer: Scorer = probability
) -> FinishedDocument:
    """Finish a document: one type for one name, short forms with their long forms, repeats as scored candidates.

    `candidates` are all of the document's, accepted or not, as the decoder gave them; `id_prefix` is that of their ids,
    if it is not the plain one.

    Raises:
        StoreError: a sentence does not lie where it says.
    """
    known = ((one.passage_index, one.start, one.end) for one in candidates if one.accepted)
    pairs = abbreviation_pairs(document.passages, known=known)
    prefix = document_prefix(document.doc_id, document.version) if id_prefix is None else id_prefix
    found: list[Mention] = []
    for label_set in dict.fromkeys(one.label_set for one in candidates):
        own = _one_type_a_name([one for one in candidates if one.label_set == label_set])
        new = list(_abbreviations(document, own, pairs))
        new += _repeats(document, own, new, scorer)
        found += _placed(document, own, new, label_set=label_set, prefix=prefix)
    order = {name: number for number, name in enumerate(dict.fromkeys(one.label_set for one in candidates))}
    return FinishedDocument(tuple(sorted(found, key=lambda one: _place(one, order))), tuple(pairs))


def _place(mention: Mention, order: dict[str, int]) -> tuple[int, ...]:
    sentence = (mention.passage_index, mention.sentence_index, order[mention.label_set])
    return (*sentence, mention.start, -mention.end)


def _one_type_a_name(mentions: list[Mention]) -> list[Mention]:
    """Give the accepted mentions of one name the type that most of them have, if that is clearly most."""
    votes: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for one in mentions:
        if one.accepted:
            votes[folded(one.text)][one.type] += one.selector_score
    winners = {}
    for name, scores in votes.items():
        best = max(scores, key=lambda kind: (scores[kind], kind))
        if len(scores) > 1 and scores[best] >= _MAJORITY * sum(scores.values()):
            winners[name] = best
    taken = {(one.passage_index, one.start, one.end, one.type) for one in mentions}
    changed = []
    for one in mentions:
        winner = winners.get(folded(one.text), one.type)
        if one.accepted and winner != one.type:
            # where the decoder marked both types at one place, the place has the winner already
            both = (one.passage_index, one.start, one.end, winner) in taken
            changed.append(replace(one, accepted=False) if both else replace(one, type=winner))
        else:
            changed.append(one)
    return changed


def _abbreviations(
    document: Document, mentions: Sequence[Mention], pairs: Iterable[AbbreviationPair]
) -> Iterator[_New]:
    """The short forms of accepted long forms, and the long forms of accepted short forms, wherever they stand."""
    accepted: dict[str, list[Mention]] = defaultdict(list)
    for one in mentions:
        if one.accepted:
            accepted[folded(one.text)].append(one)
    for pair in pairs:
        for known, other, is_short in (
            (pair.long_form, pair.short_form, True),
            (pair.short_form, pair.long_form, False),
        ):
            models = accepted.get(folded(known), [])
            if models:
                kind = Counter(one.type for one in models).most_common(1)[0][0]
                models = [one for one in models if one.type == kind]
                places = _places(document, other)
                supported = is_short and _is_supported(len(accepted.get(folded(other), [])), len(places))
                score = mean_score(models) * (1.0 if supported else _UNSUPPORTED)
                tag_score = sum(one.tag_score for one in models) / len(models)
                for place in places:
                    yield _New(*place, kind, ABBREVIATION, tag_score, round(score, 6), score >= THRESHOLD)
                break


def _is_supported(accepted: int, occurrences_: int) -> bool:
    """Whether the decoder's own view of a short form lets it follow its long form.

    Where it saw the short form often and hardly ever marked it, the definition was misread, or means something else.
    """
    return occurrences_ < _OFTEN or accepted >= _LEAST_SHARE * occurrences_


def _repeats(document: Document, mentions: Sequence[Mention], new: Sequence[_New], scorer: Scorer) -> list[_New]:
    """Every other occurrence of an accepted name, scored; those that the selector turned down among them."""
    names: dict[tuple[str, str], list[Mention]] = defaultdict(list)
    for one in mentions:
        if one.accepted and _may_repeat(one.text):
            names[folded(one.text), one.type].append(one)
    marked = {(one.passage_index, one.start, one.end): one for one in mentions}
    taken = {(one.passage_index, one.start, one.end) for one in new}
    found = []
    for (_, kind), models in names.items():
        places = _places(document, models[0].text)
        tag_score = sum(one.tag_score for one in models) / len(models)
        for place in places:
            here = marked.get(place)
            if place in taken or (here is not None and here.accepted):
                continue
            turned_down = here is not None
            facts = RepeatFacts(models[0].text, len(models), len(places), mean_score(models), turned_down)
            score = scorer(facts)
            found.append(_New(*place, kind, REPEAT, tag_score, round(score, 6), score >= THRESHOLD))
    return found


def _may_repeat(name: str) -> bool:
    return len(name) >= (_SHORTEST_REPEAT if name.isascii() else _SHORTEST_HAN_REPEAT) and not name.isdigit()


def _places(document: Document, name: str) -> list[tuple[int, int, int]]:
    return [
        (index, start, end)
        for index, passage in enumerate(document.passages)
        for start, end in occurrences(name, passage.text)
    ]


def _placed(
    document: Document, mentions: Sequence[Mention], new: Sequence[_New], *, label_set: str, prefix: str
) -> list[Mention]:
    """All mentions of one label set, old and new, with nesting and ids as if the decoder had given them."""
    sentences = _Sentences(document)
    rows: dict[Sentence, dict[tuple[int, int, str], tuple[Candidate, str]]] = defaultdict(dict)
    for one in mentions:
        sentence = sentences.of(one.passage_index, one.start, one.end)
        if sentence is not None:
            _put(rows[sentence], sentence, (one.start, one.end, one.type), _candidate(one, sentence), DECODER)
    for fresh in new:
        sentence = sentences.of(fresh.passage_index, fresh.start, fresh.end)
        if sentence is not None and _fits(rows[sentence], fresh, sentence):
            span = (fresh.start, fresh.end, fresh.type)
            start, end = fresh.start - sentence.start, fresh.end - sentence.start
            made = Candidate(start, end, fresh.type, fresh.tag_score, fresh.score, fresh.accepted)
            _put(rows[sentence], sentence, span, made, fresh.origin)
    found = []
    for sentence, held in rows.items():
        candidates = [candidate for candidate, _ in held.values()]
        for mention in place_candidates(document, sentence, candidates, label_set=label_set, id_prefix=prefix):
            place = (mention.start - sentence.start, mention.end - sentence.start, mention.type)
            found.append(replace(mention, origin=held[place][1]))
    return found


def _put(
    held: dict[tuple[int, int, str], tuple[Candidate, str]],
    sentence: Sentence,
    span: tuple[int, int, str],
    candidate: Candidate,
    origin: str,
) -> None:
    place = (span[0] - sentence.start, span[1] - sentence.start, span[2])
    known = held.get(place)
    if known is None:
        held[place] = (candidate, origin)
    elif candidate.accepted and not known[0].accepted:
        # the decoder's candidate, which the document speaks for: it stays the decoder's
        held[place] = (replace(known[0], accepted=True), known[1])


def _fits(held: dict[tuple[int, int, str], tuple[Candidate, str]], new: _New, sentence: Sentence) -> bool:
    """Whether a new mention neither crosses an accepted one nor shares its place nor lies inside one."""
    start, end = new.start - sentence.start, new.end - sentence.start
    for candidate, _ in held.values():
        if candidate.accepted and candidate.start < end and start < candidate.end:
            same = (start, end) == (candidate.start, candidate.end)
            if same or candidate.start < start or end < candidate.end or candidate.type == new.type:
                return False
    return True


def _candidate(mention: Mention, sentence: Sentence) -> Candidate:
    start, end = mention.start - sentence.start, mention.end - sentence.start
    return Candidate(start, end, mention.type, mention.tag_score, mention.selector_score, mention.accepted)


class _Sentences:
    """The sentences of a document, by place."""

    def __init__(self, document: Document) -> None:
        self._of = [list(split_passage(passage, index)) for index, passage in enumerate(document.passages)]

    def of(self, passage_index: int, start: int, end: int) -> Sentence | None:
        """The sentence that holds a span whole, None where it goes over an end."""
        for one in self._of[passage_index]:
            if one.start <= start and end <= one.end:
                return one
        return None
