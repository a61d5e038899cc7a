"""Hypothesis strategies of the tagging tests: any text, and nested spans on its unit edges."""

from collections.abc import Iterable

from hypothesis import strategies as st

from bioner_core.tagging.moves import UnitSpan

TYPE_NAMES = ("protein", "DNA", "cell type")

_PIECES = (
    "ab",
    " cd",
    " [",
    "[[",
    "]",
    "\\",
    ":",
    " ",
    "  ",
    "12",
    " 3",
    "病",
    " 肺",
    "α",
    "e\u0301",
    "\u200d",
    "\n",
    "\t",
    "\x00",
    "-",
)
_characters = st.characters(exclude_categories=["Cs"])

any_text = st.lists(st.one_of(st.sampled_from(_PIECES), st.text(_characters, max_size=3)), max_size=12).map("".join)


@st.composite
def unit_spans(draw: st.DrawFn, unit_count: int, *, types: int = len(TYPE_NAMES)) -> list[UnitSpan]:
    """Any spans over so many units: nested, equal, crossing."""
    if unit_count == 0:
        return []
    edges = st.tuples(st.integers(0, unit_count - 1), st.integers(1, unit_count), st.integers(0, types - 1))
    drawn = draw(st.lists(edges, max_size=12))
    return [UnitSpan(min(start, end - 1), max(start + 1, end), one) for start, end, one in drawn]


def cross(one: UnitSpan, other: UnitSpan) -> bool:
    """Whether two spans overlap and neither holds the other; written apart from the code under test."""
    units, others = set(range(one.start, one.end)), set(range(other.start, other.end))
    return bool(units & others) and not units <= others and not others <= units


def deepest(spans: Iterable[UnitSpan], unit_count: int) -> int:
    """The greatest number of spans over one unit."""
    found = list(spans)
    return max((sum(one.start <= unit < one.end for one in found) for unit in range(unit_count)), default=0)
