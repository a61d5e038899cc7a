"""Pieces of a passage as nested `<mark>` elements, for a page and for a notebook."""

from collections.abc import Callable, Iterator, Sequence
from html import escape

from bioner_core.export.provenance import Tally
from bioner_core.export.substitution import xml_characters
from bioner_core.text.bidi import spelled_out
from bioner_core.viewer.stack import Piece


def marked(content: Sequence[Piece | str], opening: Callable[[Piece], str]) -> Iterator[str]:
    """The markup of the content; `opening` gives the tag that opens a piece, with whatever stands before its text."""
    for one in content:
        if isinstance(one, str):
            yield as_text(one)
        else:
            yield opening(one)
            yield from marked(one.content, opening)
            yield "</mark>"


def as_text(text: str) -> str:
    """`held`, escaped: text of a page, or the value of an attribute."""
    return escape(held(text))


def held(text: str) -> str:
    """The text as markup can hold it, before it is escaped.

    A character that HTML cannot hold is U+FFFD, and one that turns the direction of the text is spelled out.
    """
    return spelled_out(xml_characters(text, Tally()))
