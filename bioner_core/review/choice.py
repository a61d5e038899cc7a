"""Which items teach most: near a threshold, where label sets disagree, and with rare types; spread over strata.

A threshold is where the store itself shows it: between the highest score that was turned down and the lowest above it
that was accepted, for each type of each label set; a type that shows one side alone has the mean of the others'. What
the document pass has proposed or decided otherwise shows nothing of it.
"""

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache, cached_property
from itertools import combinations

from bioner_core.document_pass.finish import decoder_candidates
from bioner_core.errors import ConfigurationError
from bioner_core.labels.label_set import bundled_label_sets, load_label_set
from bioner_core.mentions import Mention
from bioner_core.review.item import ReviewItem, ReviewUnit, review_items
from bioner_core.store.document_mentions import DocumentMentions

Documents = Callable[[], Iterable[DocumentMentions]]
"""Gives all documents, as often as it is called."""

_Key = tuple[float, str]


class Choice(StrEnum):
    """How items are chosen."""

    TEACHING = "teaching"
    RANDOM = "random"


class Reason(StrEnum):
    """Why an item is worth a curator's time."""

    NEAR = "near the threshold"
    DISAGREEMENT = "label sets disagree"
    RARE = "rare type"
    RANDOM = "random"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSettings:
    """What is asked for: how many items, of what size, chosen how; equal seeds choose equally."""

    count: int
    unit: ReviewUnit = ReviewUnit.SENTENCES
    choice: Choice = Choice.TEACHING
    label_set: str | None = None
    seed: int = 13

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ConfigurationError(f"--count: {self.count}; give a number from 1")


@dataclass(slots=True)
class _TypeFacts:
    """What the store shows of a type of a label set: how many are accepted, and at which scores the selector chose.

    Scores are kept to four digits, so that there are few of them, however large the store is.
    """

    accepted: int = 0
    scores: set[float] = field(default_factory=set)
    highest_turned_down: float | None = None

    def add_choice(self, mention: Mention) -> None:
        value = mention.selector_score
        if mention.accepted:
            self.scores.add(round(value, 4))
        else:
            self.highest_turned_down = max(value, self.highest_turned_down or value)

    @property
    def lowest_accepted(self) -> float | None:
        """None where none was. Scores below what was turned down are of mentions that their document speaks for."""
        down = self.highest_turned_down
        above = [one for one in self.scores if down is None or one > down]
        return min(above or self.scores, default=None)

    @property
    def threshold(self) -> float | None:
        """Midway between both sides; None where the store shows one side alone."""
        lowest = self.lowest_accepted
        if lowest is None or self.highest_turned_down is None:
            return None
        return (lowest + self.highest_turned_down) / 2


@dataclass(frozen=True)
class _StoreFacts:
    """What the store shows of its types, by label set and name."""

    types: Mapping[tuple[str, str], _TypeFacts]

    @cached_property
    def _thresholds(self) -> Mapping[tuple[str, str], float | None]:
        return {name: one.threshold for name, one in self.types.items()}

    def distance(self, mention: Mention) -> float:
        """How far a score is from where its type is accepted."""
        own = self._thresholds[mention.label_set, mention.type]
        return abs(mention.selector_score - (self.common_threshold if own is None else own))

    @cached_property
    def common_threshold(self) -> float:
        known = [one for one in self._thresholds.values() if one is not None]
        accepted = [one.lowest_accepted for one in self.types.values() if one.lowest_accepted is not None]
        return sum(known) / len(known) if known else min(accepted, default=0.5)

    def is_rare(self, count: int) -> bool:
        """Whether it is less than half of what each type would have if all were equally frequent."""
        return 2 * count * len(self.types) <= sum(one.accepted for one in self.types.values())


@dataclass(slots=True)
class _Stratum:
    """The best items of one stratum so far."""

    most: int
    heap: list[tuple[_Key, ReviewItem]] = field(default_factory=list)

    def offer(self, key: _Key, item: ReviewItem) -> None:
        if len(self.heap) < self.most:
            heapq.heappush(self.heap, (key, item))
        elif key > self.heap[0][0]:
            heapq.heapreplace(self.heap, (key, item))

    def best_first(self) -> list[ReviewItem]:
        return [item for _, item in sorted(self.heap, key=lambda one: one[0], reverse=True)]


def choose_items(documents: Documents, settings: ReviewSettings) -> list[ReviewItem]:
    """At most `settings.count` items, in the order in which a curator should see them.

    Reads the documents twice, and holds `count` items for each stratum: reason, source and language.

    Raises:
        StoreError: the store behind `documents` is damaged.
    """
    facts = _StoreFacts(_type_facts(documents(), settings))
    strata: dict[tuple[str, ...], _Stratum] = {}
    for item in _items(documents(), settings):
        noise = hashlib.sha256(f"{settings.seed} {item.item_id}".encode()).hexdigest()
        values = _values(item, facts) if settings.choice is Choice.TEACHING else {Reason.RANDOM: 0.0}
        for reason, value in values.items():
            # A random draw is of the store as it is; a choice is spread over what the store has.
            place = (reason,) if reason is Reason.RANDOM else (reason, item.document.source, item.lang)
            stratum = strata.setdefault(place, _Stratum(settings.count))
            stratum.offer((value, noise), replace(item, reason=str(reason)))
    return _spread([strata[place].best_first() for place in sorted(strata)], settings.count)


def _items(documents: Iterable[DocumentMentions], settings: ReviewSettings) -> Iterator[ReviewItem]:
    for found in documents:
        kept = tuple(one for one in found.mentions if settings.label_set in (None, one.label_set))
        yield from review_items(replace(found, mentions=kept), settings.unit)


def _type_facts(documents: Iterable[DocumentMentions], settings: ReviewSettings) -> dict[tuple[str, str], _TypeFacts]:
    facts: dict[tuple[str, str], _TypeFacts] = {}
    for found in documents if settings.choice is Choice.TEACHING else ():
        kept = [one for one in found.mentions if settings.label_set in (None, one.label_set)]
        for one in kept:
            facts.setdefault((one.label_set, one.type), _TypeFacts()).accepted += one.accepted
        for one in _choices_of_selector(kept):
            facts[one.label_set, one.type].add_choice(one)
    return facts


def _choices_of_selector(mentions: Sequence[Mention]) -> list[Mention]:
    """The decoder's candidates, on which the selector has decided.

    One whose place the document gave another type is turned down for that, whatever its score.
    """
    held = {_place(one) for one in mentions if one.accepted}
    return [one for one in decoder_candidates(mentions) if one.accepted or _place(one) not in held]


def _place(mention: Mention) -> tuple[object, ...]:
    return mention.label_set, mention.passage_index, mention.start, mention.end


def _values(item: ReviewItem, facts: _StoreFacts) -> dict[Reason, float]:
    """How much an item teaches for each reason that it has; more is better."""
    values: dict[Reason, float] = {}
    if choices := _choices_of_selector(item.mentions):
        values[Reason.NEAR] = -min(map(facts.distance, choices))
    if disagreements := sum(_disagree(one, other) for one, other in combinations(item.accepted, 2)):
        values[Reason.DISAGREEMENT] = float(disagreements)
    rare = [facts.types[one.label_set, one.type].accepted for one in item.accepted]
    if rare and facts.is_rare(min(rare)):
        values[Reason.RARE] = 1 / min(rare)
    return values


def _disagree(one: Mention, other: Mention) -> bool:
    """Whether two label sets say different things of one place: other edges that cross, or other types."""
    if one.label_set == other.label_set:
        return False
    if (one.start, one.end) == (other.start, other.end):
        return _tag(one) != _tag(other)
    first, second = sorted((one, other), key=lambda mention: (mention.start, -mention.end))
    return first.start < second.start < first.end < second.end


def _tag(mention: Mention) -> str:
    """What types of different label sets that mean the same have in common; a set of the user's own has its names."""
    return _tags().get((mention.label_set, mention.type), mention.type)


@cache
def _tags() -> Mapping[tuple[str, str], str]:
    return {
        (name, one.name): one.tag
        for name in bundled_label_sets()
        for one in load_label_set(name).types
    }  # fmt: skip


def _spread(strata: Sequence[Sequence[ReviewItem]], count: int) -> list[ReviewItem]:
    """From each stratum in turn its best item that is not there yet."""
    chosen: dict[str, ReviewItem] = {}
    waiting = [iter(one) for one in strata]
    while waiting and len(chosen) < count:
        for stratum in list(waiting):
            item = next((one for one in stratum if one.item_id not in chosen), None)
            if item is None:
                waiting.remove(stratum)
            elif len(chosen) < count:
                chosen[item.item_id] = item
    return list(chosen.values())
