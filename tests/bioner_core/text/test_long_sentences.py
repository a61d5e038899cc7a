"""Where a sentence above the cap is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.text.sentences import cut_long
from bioner_core.text.units import estimate_tokens, split_units

texts = st.text(st.sampled_from("ab Z1,;，；。\n中("), max_size=300)


def pieces(text: str, cap: int) -> list[str]:
    """The pieces themselves."""
    return [text[start:end] for start, end in cut_long(text, cap)]


@given(texts, st.integers(12, 60))
def test_pieces_cover_the_text_under_the_cap_and_between_units(text: str, cap: int) -> None:
    """Catches truncation, a piece above the cap, and a cut inside a unit."""
    starts = {unit.start for unit in split_units(text)}
    found = cut_long(text, cap)
    assert "".join(pieces(text, cap)) == text
    assert all(estimate_tokens(piece) <= cap for piece in pieces(text, cap))
    assert all(start in starts for start, _ in found)


@given(texts)
def test_a_text_that_fits_stays_whole(text: str) -> None:
    """Catches cuts that nothing asked for."""
    assert pieces(text, 300) == ([text] if text else [])


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("aa bb; cc dd, ee ff gg hh ii jj kk ll mm nn", "aa bb;"),
        ("aa bb cc; dd ee, ff gg hh ii jj kk ll mm nn", "aa bb cc;"),
        ("aa, bb cc dd ee ff gg hh ii jj kk ll mm nn", "aa, bb cc dd ee ff gg hh ii jj kk"),
        ("aa bb cc 1,2 3;4 dd ee ff gg hh ii jj kk", "aa bb cc 1,2 3;4 dd ee ff"),
        ("甲乙丙丁；戊己，庚辛壬癸子丑寅卯", "甲乙丙丁；"),
        ("甲乙丙丁，戊己、庚辛壬癸子丑寅卯", "甲乙丙丁，"),
        ("aa bb cc\ndd; ee ff gg hh ii jj kk ll", "aa bb cc\n"),
        ("((((((((((((((((", "(((((((((((("),
    ],
)
def test_order_of_preference(text: str, first: str) -> None:
    """Catches a weaker mark preferred to a stronger one, a cut in `1,2`, and tiny pieces at the start of the window."""
    assert pieces(text, 12)[0] == first


def test_a_long_run_of_letters_is_cut_at_its_units() -> None:
    """Catches a printed sequence that never ends, or one that is cut where no tag may stand."""
    assert [len(piece) for piece in pieces("A" * 500, 40)] == [144, 144, 144, 68]
