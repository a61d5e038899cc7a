"""Pieces of sentences that a model cannot see whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.errors import ModelError
from bioner_core.inference.context import LONGEST_PIECE, longest_piece, pieces_within
from bioner_core.text.units import split_units


def count_bytes(text: str) -> int:
    """As a tokenizer of bytes counts."""
    return len(text.encode())


@given(st.text(alphabet="ab 病肺,;。\n𐌰𐌱1", max_size=400), st.integers(4, 120))
def test_pieces_hold_all_that_is_not_blank_and_fit(text: str, most: int) -> None:
    """Text that is lost or doubled between pieces, a piece too long, or a cut inside a unit."""
    pieces = pieces_within(text, most, count=count_bytes)
    edges = {0, len(text)} | {unit.start for unit in split_units(text)} | {unit.core for unit in split_units(text)}
    edges |= {unit.end for unit in split_units(text)}
    assert pieces == sorted(pieces)
    for start, end in pieces:
        assert start < end
        assert {start, end} <= edges
        piece = text[start:end]
        assert count_bytes(piece) <= most or len(split_units(piece)) == 1
    outside = [char for index, char in enumerate(text) if not any(start <= index < end for start, end in pieces)]
    assert not "".join(outside).strip()
    assert sum(end - start for start, end in pieces) <= len(text)


@given(st.text(max_size=60))
def test_what_fits_is_not_touched(text: str) -> None:
    """An ordinary sentence cut or trimmed: its answers would no longer be those of the decoder."""
    assert pieces_within(text, 10_000, count=len) == ([(0, len(text))] if text.strip() else [])


def test_cuts_fall_at_safe_places() -> None:
    """A long sentence cut in the middle of an entity although a comma stands near by."""
    text = "IL-2 binds to its receptor, " * 40
    for start, end in pieces_within(text.strip(), 200, count=len)[:-1]:
        assert text[end - 1] == ","
        assert text[start:].startswith("IL-2")


def test_the_limit_comes_from_the_context() -> None:
    """A limit that forgets the prompt, the copy or its tags."""
    assert longest_piece(1000, prompt=480, separator=20, label_set="x") == 200
    assert longest_piece(None, prompt=480, separator=20, label_set="x") == LONGEST_PIECE
    assert longest_piece(100_000, prompt=480, separator=20, label_set="x") == LONGEST_PIECE


def test_a_prompt_that_leaves_no_room_is_refused() -> None:
    """A label set of hundreds of types that makes pieces of one character each, or endless cutting."""
    with pytest.raises(ModelError, match=r"'x': its prompt takes 480 of the 512 tokens .* sentences of 4, fewer"):
        longest_piece(512, prompt=480, separator=20, label_set="x")
