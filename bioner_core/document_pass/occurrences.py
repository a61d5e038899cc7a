"""Where a name occurs in a text: at the edges of words, with its own case where that matters."""

import re
from collections.abc import Iterator
from functools import lru_cache

_KEEPS_CASE_BELOW = 5


def occurrences(name: str, text: str) -> Iterator[tuple[int, int]]:
    """The places of a name in a text, left to right, none inside a longer word or number.

    A short name, and one with a capital letter behind its first character, is found in its own case only.
    """
    for found in _pattern(name).finditer(text):
        yield found.span()


def folded(name: str) -> str:
    """The form under which two names count as one: without case, unless case matters to them."""
    return name if keeps_case(name) else name.casefold()


def keeps_case(name: str) -> bool:
    """Whether the case of a name matters: `AIDS` and `aids` are not one word."""
    return len(name) < _KEEPS_CASE_BELOW or any(char.isupper() for char in name[1:])


@lru_cache(maxsize=20_000)
def _pattern(name: str) -> re.Pattern[str]:
    before = r"(?<![A-Za-z0-9])" if name[0].isascii() and name[0].isalnum() else ""
    after = r"(?![A-Za-z0-9])" if name[-1].isascii() and name[-1].isalnum() else ""
    return re.compile(before + re.escape(name) + after, 0 if keeps_case(name) else re.IGNORECASE)
