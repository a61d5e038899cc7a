"""Names that a document repeats: where they occur, and how likely an unmarked occurrence is a mention."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bioner_core.mentions import Mention

_KEEPS_CASE_BELOW = 5


def occurrences(name: str, text: str) -> Iterator[tuple[int, int]]:
    """The places of a name in a text, left to right, none inside a longer word or number.

    A short name, and one with a capital letter behind its first character, is found in its own case only.
    """
    looked_in, wanted = (text, name) if keeps_case(name) else (text.lower(), name.lower())
    if (len(looked_in), len(wanted)) != (len(text), len(name)):  # a few letters have a lower case of another length
        yield from (found.span() for found in re.finditer(re.escape(name), text, re.IGNORECASE) if _fits(text, found))
        return
    start = looked_in.find(wanted)
    while start >= 0:
        end = start + len(wanted)
        fits = _is_edge(text, start, before=True) and _is_edge(text, end, before=False)
        if fits:
            yield start, end
        start = looked_in.find(wanted, end if fits else start + 1)


def folded(name: str) -> str:
    """The form under which two names count as one: without case, unless case matters to them."""
    return name if keeps_case(name) else name.casefold()


def keeps_case(name: str) -> bool:
    """Whether the case of a name matters: `AIDS` and `aids` are not one word."""
    return len(name) < _KEEPS_CASE_BELOW or any(char.isupper() for char in name[1:])


def _fits(text: str, found: re.Match[str]) -> bool:
    return _is_edge(text, found.start(), before=True) and _is_edge(text, found.end(), before=False)


def _is_edge(text: str, place: int, *, before: bool) -> bool:
    """Whether no Latin word or number goes on over a place of a text that is the edge of a name."""
    if not 0 < place < len(text):
        return True
    outside, inside = (text[place - 1], text[place]) if before else (text[place], text[place - 1])
    return not (outside.isascii() and outside.isalnum() and inside.isascii() and inside.isalnum())


THRESHOLD = 0.5
"""Probability from which a repeat is accepted."""


@dataclass(frozen=True, slots=True)
class RepeatFacts:
    """What a document shows of a name: accepted and other occurrences, and the accepted ones' mean selector score.

    `turned_down` says whether the decoder marked the very place and the selector turned it down.
    """

    name: str
    accepted: int
    occurrences: int
    mean_score: float
    turned_down: bool


def features(facts: RepeatFacts) -> tuple[float, ...]:
    """The numbers that the model weighs, the constant first."""
    share = facts.accepted / max(facts.occurrences, 1)
    return (
        1.0,
        share,
        math.log(facts.accepted),
        facts.mean_score,
        math.log(min(len(facts.name), 40)),
        float(any(char.isupper() for char in facts.name[1:])),
        float(facts.turned_down),
    )


WEIGHTS: tuple[float, ...] = (-4.9, 3.0, 0.5, 2.5, 0.0, 0.0, -0.5)
"""One for each of `features`. Set by hand: the corpora that were looked at have too few cases to fit them apart."""


def probability(facts: RepeatFacts, weights: tuple[float, ...] = WEIGHTS) -> float:
    """How likely such an occurrence is a mention."""
    total = sum(weight * value for weight, value in zip(weights, features(facts), strict=True))
    return 1.0 / (1.0 + math.exp(-total))


def mean_score(mentions: list[Mention]) -> float:
    """The mean selector score of mentions, of which there is at least one."""
    return sum(one.selector_score for one in mentions) / len(mentions)
