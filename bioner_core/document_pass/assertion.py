"""What a sentence says of a mention: that it is there, is not, is in doubt, or is another person's or time's.

Rules without a parser, in English and Chinese. They know clinical notes best; in abstracts most mentions are `present`.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bioner_core.document_pass.assertion_cues import (
    CHINESE,
    ENGLISH,
    NEGATED,
    OTHER,
    PRESENT,
    RELATIVE,
    UNCERTAIN,
    Cues,
    longest_first,
)

ASSERTION_VERSION = "2"
"""Part of the finish fingerprint: change it with any cue or rule."""

_SIGNS = tuple("（(？?")
_RANK = (NEGATED, RELATIVE, UNCERTAIN, OTHER)
_FARTHEST = {"en": 90, "zh": 30}
"""Characters between a cue and a mention, at most."""


@dataclass(frozen=True, slots=True)
class _Cue:
    start: int
    end: int
    says: str
    speaks_of_what_follows: bool


@dataclass(frozen=True, slots=True)
class _End:
    start: int
    end: int
    of_negation: bool


def assertion_of(text: str, *, start: int, end: int, lang: str) -> str:
    """What a sentence says of its mention at `text[start:end]`: `present`, `negated`, `uncertain` or `other`.

    Cues inside the mention itself do not count: `absence epilepsy` is there.
    """
    cues, ends = _of_sentence(text, lang)
    farthest = _FARTHEST.get(lang, _FARTHEST["en"])
    said = {cue.says for cue in cues if _reaches(cue, start, end, ends=ends, farthest=farthest)}
    if sign := _sign_behind(text[end:], lang):
        said.add(sign)
    found = next((one for one in _RANK if one in said), PRESENT)
    return OTHER if found == RELATIVE else found


def _reaches(cue: _Cue, start: int, end: int, *, ends: tuple[_End, ...], farthest: int) -> bool:
    """Whether a mention lies on the side that a cue speaks of, near enough, with nothing that ends it between."""
    first, last = (cue.end, start) if cue.speaks_of_what_follows else (end, cue.start)
    if not 0 <= last - first <= farthest:
        return False
    denies = cue.says == NEGATED and cue.speaks_of_what_follows
    return not any(first <= one.start and one.end <= last for one in ends if denies or not one.of_negation)


@lru_cache(maxsize=4_096)
def _of_sentence(text: str, lang: str) -> tuple[tuple[_Cue, ...], tuple[_End, ...]]:
    """The cues of a sentence that are not part of a longer one, and the places of what ends their reach."""
    cues = _cues_of(lang)
    nothing: set[tuple[int, int]] = set()
    # one word may speak of both sides, as a cue of each
    says: dict[tuple[int, int], list[tuple[str, bool]]] = defaultdict(list)
    for one in cues.nothing.finditer(text):
        nothing.add(one.span())
        says[one.span()] = []
    for follows, patterns in ((False, cues.after), (True, cues.before)):
        for name, pattern in patterns.items():
            for one in pattern.finditer(text):
                says[one.span()].append((name, follows))
    kept = longest_first(list(says))
    found = tuple(_Cue(*span, *said) for span in kept if span not in nothing for said in says[span])
    inside = [(one.start, one.end) for one in found]
    return found, tuple(_ends_of(text, cues, inside))


def _ends_of(text: str, cues: Cues, inside: list[tuple[int, int]]) -> Iterator[_End]:
    """What ends the reach of cues, unless it is part of one."""
    for pattern, of_negation in ((cues.ends, False), (cues.ends_of_negation, True)):
        for one in pattern.finditer(text) if pattern else ():
            if not any(_overlap(one.span(), other) for other in inside):
                yield _End(*one.span(), of_negation)


def _sign_behind(rest: str, lang: str) -> str:
    """What a sign that stands directly behind a mention, or behind a blank there, says; empty where none does."""
    if rest.lstrip()[:1] not in _SIGNS:
        return ""
    return next((name for name, pattern in _cues_of(lang).after.items() if pattern.match(rest)), "")


def _cues_of(lang: str) -> Cues:
    return CHINESE if lang == "zh" else ENGLISH


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]
