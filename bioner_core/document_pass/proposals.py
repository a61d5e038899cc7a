"""What a document says of the names in its sentences: where they occur, one type for a name, short forms, repeats."""

import re
from bisect import bisect, bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bioner_core.document_pass.abbreviation_pairs import AbbreviationPair
from bioner_core.document_pass.occurrences import folded, is_part_of_name, is_part_of_symbol, occurrences
from bioner_core.document_pass.settings import THRESHOLD, RepeatFacts, mean_score
from bioner_core.documents import Document
from bioner_core.labels.label_set import LabelSetChoice
from bioner_core.mentions import Mention

DECODER, ABBREVIATION, REPEAT = "decoder", "abbreviation", "repeat"
"""Where a mention comes from."""

_SHORTEST_REPEAT = 3
_SHORTEST_HAN_REPEAT = 2
_MAJORITY = 0.75
_OFTEN, _LEAST_SHARE = 6, 0.25
_HYPHENS = re.compile(r"[-\u2010-\u2015]")
_UNSUPPORTED = 0.49
"""What the score of a short form that its document does not support is multiplied by, and that of a long form by its
short form alone: corpora seldom mark those, so they stay candidates. That of a name inside another one's symbol too
(`LC-MS/MS`, `TNF-1`)."""

Scorer = Callable[[RepeatFacts], float]
_Place = tuple[int, int, int]
"""Passage, start and end."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mention that the document speaks for: one that the decoder did not give, or gave and the selector turned down.

    `in_place` says that it is one of the decoder's under another type, whose nesting it keeps.
    """

    passage_index: int
    start: int
    end: int
    type: str
    origin: str
    tag_score: float
    score: float
    accepted: bool
    in_place: bool = False


def proposals(
    document: Document,
    mentions: Sequence[Mention],
    *,
    label_set: LabelSetChoice,
    pairs: Sequence[AbbreviationPair],
    scorer: Scorer,
) -> tuple[list[Mention], list[Proposal]]:
    """The decoder's mentions of one label set as the document decides on them, and what it proposes beside them.

    A mention that gets another type stays as it was, turned down, and a proposal of the other type is accepted in its
    place: so the rows of the decoder always say what the decoder said. Names are looked for in the passages that the
    label set is for, and nowhere else.
    """
    typed = _one_type_a_name(mentions, pairs)
    searched = _Searched(document, label_set, typed)
    decided = [
        replace(one, accepted=new.accepted and new.type == one.type) for one, new in zip(mentions, typed, strict=True)
    ]
    found = [_retyped(new) for one, new in zip(mentions, typed, strict=True) if new.type != one.type]
    new = list(_abbreviations(searched, typed, pairs))
    return decided, [*found, *new, *_repeats(searched, typed, new, scorer)]


def _retyped(one: Mention) -> Proposal:
    place = (one.passage_index, one.start, one.end)
    return Proposal(*place, one.type, REPEAT, one.tag_score, one.selector_score, accepted=True, in_place=True)


def _one_type_a_name(mentions: Sequence[Mention], pairs: Iterable[AbbreviationPair]) -> list[Mention]:
    """Give the accepted mentions of one name the type that most of them have, if that is clearly most.

    A short form has the type of its long form, if its own mentions have that and others: in the letters of a short form
    there is little to see, and a model that takes them for something else does so again and again.
    """
    votes, spelt = _votes(mentions, folded), _votes(mentions, _without_hyphens)
    winners = {name: _winner(scores) for name, scores in votes.items() if len(scores) > 1}
    for pair in pairs:
        name = folded(pair.short_form)
        kind = _winner(spelt.get(_without_hyphens(pair.long_form), {}))
        if name in winners and kind in votes[name]:
            winners[name] = kind
    return _with_types(mentions, {name: kind for name, kind in winners.items() if kind is not None})


def _votes(mentions: Iterable[Mention], called: Callable[[str], str]) -> dict[str, dict[str, float]]:
    """How much speaks for each type of each name."""
    votes: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for one in mentions:
        if one.accepted:
            votes[called(one.text)][one.type] += one.selector_score
    return votes


def _winner(scores: Mapping[str, float]) -> str | None:
    """The type for which clearly most speaks."""
    best = max(scores, key=lambda kind: (scores[kind], kind), default=None)
    return best if best is not None and scores[best] >= _MAJORITY * sum(scores.values()) else None


def _without_hyphens(name: str) -> str:
    return " ".join(_HYPHENS.sub(" ", name).casefold().split())


def _with_types(mentions: Sequence[Mention], winners: Mapping[str, str]) -> list[Mention]:
    taken = {(one.passage_index, one.start, one.end, one.type) for one in mentions if one.accepted}
    changed = []
    for one in mentions:
        winner = winners.get(folded(one.text), one.type)
        if one.accepted and winner != one.type:
            place = (one.passage_index, one.start, one.end, winner)
            # where both types were marked at one place, the place has the winner already
            changed.append(replace(one, accepted=False) if place in taken else replace(one, type=winner))
            taken.add(place)
        else:
            changed.append(one)
    return changed


class _Searched:
    """The passages in whose languages a label set is asked about, and the accepted mentions in them."""

    def __init__(self, document: Document, label_set: LabelSetChoice, mentions: Iterable[Mention]) -> None:
        self.passages = {index: one.text for index, one in enumerate(document.passages) if label_set.fits(one.lang)}
        spans: dict[int, set[tuple[int, int]]] = defaultdict(set)
        for one in mentions:
            if one.accepted:
                spans[one.passage_index].add((one.start, one.end))
        self._spans = {index: sorted(found) for index, found in spans.items()}
        self._longest = {index: max(end - start for start, end in found) for index, found in self._spans.items()}

    def places(self, name: str) -> list[_Place]:
        """Where a name stands by itself: what lies inside a longer accepted mention is that mention's."""
        return [
            (index, start, end)
            for index, text in self.passages.items()
            for start, end in occurrences(name, text)
            if not self._is_inside_another(index, start, end)
        ]

    def not_accepted(self, places: Iterable[_Place]) -> Iterator[tuple[_Place, str]]:
        """The places that are no accepted mention's, each with the text of its passage."""
        for place in places:
            if not self._is_accepted(*place):
                yield place, self.passages[place[0]]

    def _is_accepted(self, index: int, start: int, end: int) -> bool:
        spans = self._spans.get(index, [])
        place = bisect_left(spans, (start, end))
        return place < len(spans) and spans[place] == (start, end)

    def _is_inside_another(self, index: int, start: int, end: int) -> bool:
        spans = self._spans.get(index, [])
        if self._is_accepted(index, start, end):
            return False
        for place in range(bisect(spans, (start, len(self.passages[index]))) - 1, -1, -1):
            first, last = spans[place]
            if first + self._longest[index] < end:
                return False
            if end <= last:
                return True
        return False


def _abbreviations(
    searched: _Searched, mentions: Sequence[Mention], pairs: Iterable[AbbreviationPair]
) -> Iterator[Proposal]:
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
                marked = len(accepted.get(folded(other), []))
                yield from _followers(searched, models, other, marked if is_short else None)
                break


def _followers(searched: _Searched, models: Sequence[Mention], name: str, marked: int | None) -> Iterator[Proposal]:
    """What follows the other form of a definition, `models`: a short form that the decoder `marked` so often, or, with
    None, a long form."""
    places = searched.places(name)
    in_symbols = {
        place for place, text in searched.not_accepted(places) if is_part_of_symbol(text, start=place[1], end=place[2])
    }
    supported = marked is not None and _is_supported(marked, len(places) - len(in_symbols))
    tag_score = sum(one.tag_score for one in models) / len(models)
    for place in places:
        score = mean_score(models) * (1.0 if supported and place not in in_symbols else _UNSUPPORTED)
        yield Proposal(*place, models[0].type, ABBREVIATION, tag_score, round(score, 6), score >= THRESHOLD)


def _is_supported(accepted: int, occurrences_: int) -> bool:
    """Whether the decoder's own view of a short form lets it follow its long form.

    Where it saw the short form often and hardly ever marked it, the definition was misread, or means something else.
    """
    return occurrences_ < _OFTEN or accepted >= _LEAST_SHARE * occurrences_


def _repeats(
    searched: _Searched, mentions: Sequence[Mention], new: Sequence[Proposal], scorer: Scorer
) -> list[Proposal]:
    """Every other occurrence of an accepted name, scored; those that the selector turned down among them."""
    names: dict[tuple[str, str], list[Mention]] = defaultdict(list)
    for one in mentions:
        if one.accepted and _may_repeat(one.text):
            names[folded(one.text), one.type].append(one)
    marked = {(one.passage_index, one.start, one.end): one for one in mentions}
    taken = {(one.passage_index, one.start, one.end) for one in new}
    found = []
    for (_, kind), models in names.items():
        places = searched.places(models[0].text)
        in_names = {
            place
            for place, text in searched.not_accepted(places)
            if is_part_of_name(text, start=place[1], end=place[2])
        }
        tag_score = sum(one.tag_score for one in models) / len(models)
        for place in places:
            here = marked.get(place)
            if place in taken or (here is not None and here.accepted):
                continue
            turned_down, seen = here is not None, len(places) - len(in_names)
            facts = RepeatFacts(models[0].text, len(models), seen, mean_score(models), turned_down)
            score = scorer(facts) * (_UNSUPPORTED if place in in_names else 1.0)
            found.append(Proposal(*place, kind, REPEAT, tag_score, round(score, 6), score >= THRESHOLD))
    return found


def _may_repeat(name: str) -> bool:
    return len(name) >= (_SHORTEST_REPEAT if name.isascii() else _SHORTEST_HAN_REPEAT) and not name.isdigit()
