"""What a sentence says of a mention: that it is there, is not, is in doubt, or is another person's or time's.

Rules without a parser, in English and Chinese. They know clinical notes best; in abstracts most mentions are `present`.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from bioner_core.document_pass.assertion_cues import (
    ENGLISH,
    NEGATED,
    OTHER,
    PRESENT,
    RELATIVE,
    UNCERTAIN,
    Cues,
    longest_first,
)
from bioner_core.document_pass.chinese_cues import CHINESE

ASSERTION_VERSION = "3"
"""Part of the finish fingerprint: change it with any cue or rule."""

_Place = tuple[int, int]
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

    Cues inside the mention itself do not count (`absence epilepsy` is there), nor do those that reach into it: in
    糖尿病史 behind the mention 糖尿病 the cue is 史, and 病史 is none.
    """
    if text.isupper() and len(lowered := text.lower()) == len(text):
        text = lowered
    across = tuple(sorted(span for span in _matches_in(text, lang).says if span[0] < end and start < span[1]))
    cues, ends = _of_sentence(text, lang, across)
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


@dataclass(frozen=True, slots=True)
class _Matches:
    """All that looks like a cue or an end in a sentence: spans with what they say (nothing, for what is no cue)."""

    says: Mapping[_Place, tuple[tuple[str, bool], ...]]
    ends: tuple[_End, ...]


@lru_cache(maxsize=4_096)
def _matches_in(text: str, lang: str) -> _Matches:
    cues = _cues_of(lang)
    # one word may speak of both sides, as a cue of each
    says: dict[_Place, list[tuple[str, bool]]] = defaultdict(list)
    for follows, patterns in ((False, cues.after), (True, cues.before)):
        for name, pattern in patterns.items():
            for span in _all_spans(pattern, text):
                says[span].append((name, follows))
    for span in _all_spans(cues.nothing, text):
        says[span] = []
    return _Matches({span: tuple(said) for span, said in says.items()}, tuple(_ends_of(text, cues)))


def _all_spans(pattern: re.Pattern[str], text: str) -> Iterator[_Place]:
    """The matches of a pattern, those that begin inside another one too: the longer one may reach into a mention."""
    found = pattern.search(text)
    while found:
        yield found.span()
        found = pattern.search(text, found.start() + 1)


@lru_cache(maxsize=4_096)
def _of_sentence(text: str, lang: str, across: tuple[_Place, ...]) -> tuple[tuple[_Cue, ...], tuple[_End, ...]]:
    """The cues of a sentence that are not part of a longer one, and the places of what ends their reach.

    `across` are the matches that overlap the mention that is asked about. They go before the longest is chosen. Most
    mentions have none, so that all mentions of a sentence share one answer.
    """
    matches = _matches_in(text, lang)
    kept = longest_first([span for span in matches.says if span not in across])
    found = tuple(_Cue(*span, *said) for span in kept for said in matches.says[span])
    ends = (one for one in matches.ends if not any(_overlap(one, cue) for cue in found))
    return found, tuple(ends)


def _ends_of(text: str, cues: Cues) -> Iterator[_End]:
    for pattern, of_negation in ((cues.ends, False), (cues.ends_of_negation, True)):
        for one in pattern.finditer(text) if pattern else ():
            yield _End(*one.span(), of_negation)


def _sign_behind(rest: str, lang: str) -> str:
    """What a sign that stands directly behind a mention, or behind a blank there, says; empty where none does."""
    if rest.lstrip()[:1] not in _SIGNS:
        return ""
    return next((name for name, pattern in _cues_of(lang).after.items() if pattern.match(rest)), "")


def _cues_of(lang: str) -> Cues:
    return CHINESE if lang == "zh" else ENGLISH


def _overlap(end: _End, cue: _Cue) -> bool:
    return end.start < cue.end and cue.start < end.end
