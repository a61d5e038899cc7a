"""What the model reads in place of a text: other forms of the same characters are folded to the plain ones.

Full width, sub- and superscripts, ligatures, special blanks and hyphens, invisible characters and Traditional Chinese
would otherwise be rare tokens, or none, to a model that learned from plain text. Only the model's input is folded: a
passage keeps its own text, and every span is led back to it.
"""

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import accumulate

FOLDING_VERSION = "1"
"""Part of the fingerprint: change it with any change that folds a character otherwise."""

# Folded by Unicode's own compatibility mapping (NFKC). Full-width punctuation of Chinese text (，（）：；！？) stays:
# the Chinese corpora are written with it.
_COMPATIBLE = (
    ("\N{SUPERSCRIPT TWO}", "\N{SUPERSCRIPT THREE}"),
    ("\N{MICRO SIGN}", "\N{MICRO SIGN}"),
    ("\N{SUPERSCRIPT ONE}", "\N{SUPERSCRIPT ONE}"),
    ("\N{GREEK BETA SYMBOL}", "\N{GREEK PI SYMBOL}"),
    ("\N{SUPERSCRIPT ZERO}", "\N{LATIN SUBSCRIPT SMALL LETTER T}"),
    ("\N{KELVIN SIGN}", "\N{ANGSTROM SIGN}"),
    ("\N{OHM SIGN}", "\N{OHM SIGN}"),
    ("\N{ROMAN NUMERAL ONE}", "\N{SMALL ROMAN NUMERAL ONE THOUSAND}"),
    ("\uf900", "\ufaff"),  # CJK compatibility ideographs
    ("\N{LATIN SMALL LIGATURE FF}", "\N{LATIN SMALL LIGATURE ST}"),
    ("\N{FULLWIDTH DIGIT ZERO}", "\N{FULLWIDTH DIGIT NINE}"),
    ("\N{FULLWIDTH LATIN CAPITAL LETTER A}", "\N{FULLWIDTH LATIN CAPITAL LETTER Z}"),
    ("\N{FULLWIDTH LATIN SMALL LETTER A}", "\N{FULLWIDTH LATIN SMALL LETTER Z}"),
    ("\U0001d400", "\U0001d7ff"),  # mathematical letters and digits
)
_FULL_WIDTH_SIGNS = "％＋－．／＜＝＞～＆＃＊＠"
_BLANKS = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_HYPHENS = "\u2010\u2011\u2012\u2013\u2212\ufe63"
# Soft hyphen, zero-width characters, direction marks, variation selectors and the byte order mark: nothing is read.
_INVISIBLE = (
    "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064"
    "\u2066\u2067\u2068\u2069\ufe00\ufe01\ufe02\ufe03\ufe04\ufe05\ufe06\ufe07\ufe08\ufe09\ufe0a\ufe0b\ufe0c\ufe0d"
    "\ufe0e\ufe0f\ufeff"
)


@dataclass(frozen=True, slots=True)
class FoldedText:
    """A text as the model reads it, and the way back.

    `ends` has, for each character of the original, where its folded form ends in `text`; None where every character is
    folded to exactly one, so that offsets are the same.
    """

    text: str
    ends: tuple[int, ...] | None = None

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """The characters of the original whose folded forms make up `text[start:end]`, which must not be empty.

        A span that begins or ends inside a folded form (the f of a ligature) takes in the whole character; invisible
        characters at its edges stay outside.
        """
        if self.ends is None:
            return start, end
        return bisect_right(self.ends, start), bisect_right(self.ends, end - 1) + 1


def fold(text: str, *, keep: str = "") -> FoldedText:
    """Fold a text, but for the characters of `keep`. Folding a folded text changes nothing.

    A model that learned rows of its own for some of these characters reads them better than their plain forms.
    """
    if text.isascii():
        return FoldedText(text)
    table = _table_without(keep)
    folded = text.translate(table)
    if len(folded) == len(text) and not any(ord(char) in _changes_length() for char in text):
        return FoldedText(folded)
    lengths = (len(table.get(ord(char), char)) for char in text)
    return FoldedText(folded, tuple(accumulate(lengths)))


@cache
def _table_without(keep: str) -> dict[int, str]:
    kept = set(map(ord, keep))
    return {char: form for char, form in _table().items() if char not in kept}


@cache
def _table() -> dict[int, str]:
    table = {ord(char): " " for char in _BLANKS}
    table |= {ord(char): "-" for char in _HYPHENS}
    table |= {ord(char): "" for char in _INVISIBLE}
    table |= {ord(char): unicodedata.normalize("NFKC", char) for char in (*_compatible(), *_FULL_WIDTH_SIGNS)}
    table |= _simplified()
    # A form may fold to a character that is folded itself: superscript minus to the minus sign, to the hyphen.
    return {char: form.translate(table) for char, form in table.items()}


@cache
def _changes_length() -> frozenset[int]:
    return frozenset(char for char, form in _table().items() if len(form) != 1)


def _compatible() -> Iterator[str]:
    for first, last in _COMPATIBLE:
        yield from map(chr, range(ord(first), ord(last) + 1))


def _simplified() -> dict[int, str]:
    """Traditional characters to Simplified ones, one to one."""
    lines = resources.files("bioner_core.text").joinpath("traditional.txt").read_text(encoding="utf-8").splitlines()
    pairs = "".join(line for line in lines if not line.startswith("#"))
    return {ord(old): new for old, new in zip(pairs[::2], pairs[1::2], strict=True)}
