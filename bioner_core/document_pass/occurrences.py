"""Where a name stands in a text: between the edges of words, in its own case if that matters, in compounds or not."""

import re
from collections.abc import Iterator

_KEEPS_CASE_BELOW = 5
_JOINT = "-/\u2010-\u2015"
_BEFORE = re.compile(rf"([^\W_]+)[{_JOINT}]\Z")
_BEHIND = re.compile(rf"[{_JOINT}]([^\W_]+)")
_GREEK = frozenset(
    {"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "omega"}
)
_LONGEST_PART = 40
"""Characters beside a name that are looked at."""


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


def is_part_of_name(text: str, *, start: int, end: int) -> bool:
    """Whether a number or a Greek letter joined to a name makes another name of it: `TNF-1`, `beta-NGF`, `TRAF-1/2`.

    In gold corpora one in four such places of a name that is marked elsewhere is marked by itself; of other places
    beside a hyphen or stroke at least four in five are.
    """
    before, behind = _joined(text, start, end)
    return _is_greek(before) or _is_greek(behind) or behind[:1].isdigit()


def is_part_of_symbol(text: str, *, start: int, end: int) -> bool:
    """Whether a short form is joined to symbols so that it need not mean what it was defined as.

    That is `is_part_of_name`, or capitals or digits behind a hyphen (`PD-L1`, `GC-MS`), or the same short form behind a
    stroke (`MS/MS`). English words do not count (`MS-associated`, `anti-TNF`), nor does a list (`HIV/HCV`).
    """
    if is_part_of_name(text, start=start, end=end):
        return True
    before, behind = _joined(text, start, end)
    own = text[start:end]
    if own in (before, behind):
        return True
    if before and text[start - 1] != "/" and _is_symbol(before):
        return True
    return text[end : end + 1] != "/" and (_is_symbol(behind) or len(behind) == 1)


def _joined(text: str, start: int, end: int) -> tuple[str, str]:
    """The parts that a hyphen or a stroke joins to a name, before and behind it; empty where nothing is joined."""
    before = _BEFORE.search(text[max(0, start - _LONGEST_PART) : start])
    behind = _BEHIND.match(text, end, end + _LONGEST_PART)
    return before[1] if before else "", behind[1] if behind else ""


def _is_greek(part: str) -> bool:
    return part.casefold() in _GREEK or ("\u0370" <= part[:1] <= "\u03ff" and len(part) <= 2)


def _is_symbol(part: str) -> bool:
    """Whether a part is neither a number nor a word."""
    return not part.isdigit() and any(char.isdigit() or char.isupper() for char in part[1:])
