"""Lengths and distances of spans in tagging units, the steps in which a tag can be off."""

from bisect import bisect_right

from bioner_core.mentions import Span
from bioner_core.text.units import split_units


class UnitRuler:
    """Measures spans of one text; their offsets are code points into it."""

    def __init__(self, text: str) -> None:
        self._starts = [unit.start for unit in split_units(text)]

    def length(self, span: Span) -> int:
        """How many units the span touches; at least 1."""
        first, last = self._edges(span)
        return last - first + 1

    def distance(self, one: Span, other: Span) -> int:
        """By how many units their starts differ, plus by how many their ends do."""
        return sum(abs(a - b) for a, b in zip(self._edges(one), self._edges(other), strict=True))

    def _edges(self, span: Span) -> tuple[int, int]:
        """Indices of the units that hold the first and the last character."""
        return bisect_right(self._starts, span.start) - 1, bisect_right(self._starts, span.end - 1) - 1
