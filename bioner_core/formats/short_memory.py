"""Answers that are kept for short questions: what a file repeats is short, and what is long may be hostile."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

LONGEST_KEPT = 2000
"""Characters of all texts of a question together, up to which its answer is kept."""

_Asked = ParamSpec("_Asked")
_Answer = TypeVar("_Answer")


def kept(number: int) -> Callable[[Callable[_Asked, _Answer]], Callable[_Asked, _Answer]]:
    """As `lru_cache` of that size, which would hold a thousand texts of megabytes just as well as a thousand words."""

    def of_function(function: Callable[_Asked, _Answer]) -> Callable[_Asked, _Answer]:
        remembered = lru_cache(maxsize=number)(function)

        @wraps(function)
        def asked(*texts: _Asked.args, **named: _Asked.kwargs) -> _Answer:
            length = 0
            for text in texts:
                if isinstance(text, str):
                    length += len(text)
            if length > LONGEST_KEPT:
                return function(*texts, **named)
            return remembered(*texts, **named)  # type: ignore[arg-type]  # as `lru_cache`, only for what has a hash

        return asked

    return of_function
