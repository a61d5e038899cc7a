"""The measure of loss: text of a record that is in no passage and under nothing that docs/formats.md says is not read.

Blanks and line ends do not count: readers lay text out anew.
"""

from collections import Counter
from collections.abc import Iterable

from bioner_core.documents import Document

MAX_LOST_SHARE = 0.1
"""The share of a document's text that may be lost; a document that loses more is a `LOST_TEXT` reject."""

_BLANKS = " \t\r\n"


def visible(text: str) -> int:
    """How many characters of a text are no blanks. Four counts in C cost a tenth of what splitting it costs."""
    return len(text) - sum(map(text.count, _BLANKS))


def lost_share(document: Document) -> float:
    """The share of a document's text that its reader has lost, from 0 to 1."""
    lost = document.meta.lost_characters
    return lost / (lost + sum(visible(passage.text) for passage in document.passages)) if lost else 0.0


def missing(source: str, unread: Iterable[str], kept: Iterable[str]) -> int:
    """How many characters of `source` are neither in a text of `unread`, which are parts of it, nor in one of `kept`.

    Where the numbers agree none is missing. Else it is counted character by character, so that text that is given out
    twice makes up for none that is lost.
    """
    accounted = "".join((*unread, *kept))
    if visible(source) == visible(accounted):
        return 0
    left = Counter(source) - Counter(accounted)
    return sum(number for character, number in left.items() if not character.isspace())
