"""Brackets, quotes and book titles of Chinese text that are read as one piece: no sentence ends inside them."""

import re
from bisect import bisect_right
from dataclasses import dataclass

MAX_ENCLOSED = 100
"""How many characters may stand between two marks that hold together; a longer quotation is parted as other text is."""

_PAIRS = ("“”", "‘’", "「」", "『』", "《》", "〈〉", "【】", "〔〕", "［］", "（）", "()")
_ANY = "|".join(
    rf"{re.escape(pair[0])}[^{re.escape(pair)}]{{1,{MAX_ENCLOSED}}}+{re.escape(pair[1])}" for pair in _PAIRS
)
# One level of the same brackets inside others is common: `（见图1（左）。略）`.
_NESTED = rf"（(?=[^（）]{{0,{MAX_ENCLOSED}}}+（)(?:[^（）]|（[^（）]{{0,{MAX_ENCLOSED}}}+）){{1,{MAX_ENCLOSED}}}+）"
_PIECE = re.compile(f"{_NESTED}|{_ANY}")
_ENDS_OF_TITLES = "》〉"


@dataclass(frozen=True, slots=True)
class Enclosed:
    """Where such pieces stand in a text, from each opening mark to behind its closing mark; in order, side by side."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def holds(self, end: int) -> bool:
        """Whether a sentence must not end at an offset: it lies inside a piece, or right behind the title of a work."""
        place = bisect_right(self.starts, end - 1) - 1
        if place < 0 or end > self.ends[place]:
            return False
        return end < self.ends[place] or self.text[end - 1] in _ENDS_OF_TITLES


def enclosed_pieces(text: str) -> Enclosed:
    """The enclosed pieces of a text; linear in its length, because each is bounded."""
    pieces = [match.span() for match in _PIECE.finditer(text)]
    return Enclosed(text, tuple(start for start, _ in pieces), tuple(end for _, end in pieces))
