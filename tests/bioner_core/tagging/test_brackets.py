"""The rendering for people: whatever the source holds, text and tags come back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.errors import TaggingError
from bioner_core.tagging.brackets import from_brackets, to_brackets
from bioner_core.tagging.moves import COPY, UnitSpan, spans_of
from bioner_core.tagging.render import nest, render_moves
from bioner_core.text.units import split_units
from tests.bioner_core.tagging.tagging_samples import TYPE_NAMES, any_text, unit_spans


@given(any_text, st.data())
def test_inline_brackets_give_text_and_moves_back(text: str, data: st.DataObject) -> None:
    """Would catch a literal bracket, colon or backslash that is taken for a tag, or a tag that moves over a blank."""
    count = len(split_units(text))
    moves = render_moves(nest(data.draw(unit_spans(count))).spans, count)
    tagged = to_brackets(text, moves, type_names=TYPE_NAMES)
    assert from_brackets(tagged, type_names=TYPE_NAMES) == (text, moves)


@given(any_text, st.data())
def test_line_brackets_give_text_and_moves_back(text: str, data: st.DataObject) -> None:
    """Would catch a line of the `lines` scheme that needs its types to be read."""
    count = len(split_units(text))
    spans = [UnitSpan(one.start, one.end, 1) for one in data.draw(unit_spans(count))]
    moves = render_moves(nest(spans).spans, count)
    tagged = to_brackets(text, moves, type_names=TYPE_NAMES, with_types=False)
    assert from_brackets(tagged, type_names=TYPE_NAMES, line_type=TYPE_NAMES[1]) == (text, moves)


@given(st.text(alphabet="[]:\\ab 1", max_size=12))
def test_anything_read_is_a_legal_copy_and_writes_itself(tagged: str) -> None:
    """Would catch a malformed copy that is read as something else than what it says."""
    try:
        text, moves = from_brackets(tagged, type_names=("a", "b"))
    except TaggingError:
        return
    spans_of(moves, len(split_units(text)))
    again = to_brackets(text, moves, type_names=("a", "b"))
    assert from_brackets(again, type_names=("a", "b")) == (text, moves)


def test_the_paper_s_example_reads_as_in_the_paper() -> None:
    """Would catch a rendering that people would not know again."""
    text = "the CD28 surface receptor"
    moves = render_moves([UnitSpan(1, 6, 0), UnitSpan(1, 4, 0)], 6)
    assert to_brackets(text, moves, type_names=TYPE_NAMES, with_types=False) == "the [[CD28] surface receptor]"
    assert to_brackets(text, moves, type_names=TYPE_NAMES) == "the [protein:[protein:CD28] surface receptor]"


def test_literal_brackets_are_escaped() -> None:
    """Would catch `[3H]` of a source being read as an entity."""
    assert to_brackets("[a\\]", [COPY] * 4, type_names=TYPE_NAMES) == "\\[a\\\\\\]"


@pytest.mark.parametrize(
    ("tagged", "said"),
    [
        ("a]", "not legal"),
        ("[protein:a", "open tags"),
        ("[protein:]a", "holds no text"),
        ("[protein:1[DNA:]2]", "holds no text"),
        ("[planet:a]", "unknown type 'planet'"),
        ("[a]", "names no type"),
        ("a\\", "lone backslash"),
        ("w[protein:ord]", "inside a unit"),
        ("[protein:a ]b", "inside a unit"),
        ("[protein: a]", "inside a unit"),
        ("[protein:" * 7 + "a" + "]" * 7, "not legal"),
    ],
)
def test_a_malformed_copy_is_refused(tagged: str, said: str) -> None:
    """Would catch a copy that is read with a tag dropped, moved or made up."""
    with pytest.raises(TaggingError, match=said):
        from_brackets(tagged, type_names=TYPE_NAMES)
