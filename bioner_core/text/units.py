"""Tagging units: the pieces of a text between which a symbolic tag may stand.

A unit is a run of letters, one digit, one CJK character or one other character, with the blank before it attached.
Each unit is tokenised on its own, so a tag never changes the tokens beside it.
"""

from dataclasses import dataclass

import regex

MAX_LETTERS = 48
"""A longer run of letters (a sequence printed in full, say) is several units, so that no unit grows without bound."""

_CJK = r"\p{Han}\p{Hiragana}\p{Katakana}"
_CORE = rf"[\p{{L}}--[{_CJK}]]{{1,{MAX_LETTERS}}}|."
_UNIT = regex.compile(rf"(?: (?=[^ ]))?({_CORE})", regex.V1 | regex.DOTALL)
# One match a token: up to four letters of a run, any other character, or a blank that no unit has attached.
_ESTIMATE = regex.compile(rf"[\p{{L}}--[{_CJK}]]{{1,4}}|[^ ]| (?![^ ])", regex.V1 | regex.DOTALL)


@dataclass(frozen=True, slots=True)
class Unit:
    """One tagging unit: `text[start:end]` in full, `text[core:end]` without the attached blank."""

    start: int
    core: int
    end: int


def split_units(text: str) -> list[Unit]:
    """Cut a text into units that cover it without gap or overlap, in order."""
    return [_unit(match) for match in _UNIT.finditer(text)]


def core_spans(text: str) -> list[tuple[int, int]]:
    """(`core`, `end`) of each of `split_units`, without an object per unit: for formats that write every token."""
    return [match.span(1) for match in _UNIT.finditer(text)]


def estimate_tokens(text: str) -> int:
    """About how many model tokens a text takes, without a tokenizer: for caps and batch budgets only.

    Four letters count as one token, and so does every other unit.
    """
    return len(_ESTIMATE.findall(text))


def _unit(match: "regex.Match[str]") -> Unit:
    start, end = match.span()
    return Unit(start, start + (end - start > 1 and match.group()[0] == " "), end)
