"""Where a name occurs in a text: at the edges of words, with its own case where that matters."""

import re
from collections.abc import Iterator

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
