"""Lengths of time for a person."""

import pytest

from bioner_core.duration import spoken_duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (750, "12 min 30 s"),
        (3_600, "1 h"),
        (3_659, "1 h"),
        (60_012, "16 h 40 min"),
        (86_400 * 3 + 4 * 3_600 + 59, "3 d 4 h"),
        (86_400 + 30, "1 d"),
    ],
)
def test_two_units_say_it(seconds: float, words: str) -> None:
    """Catches days that are told in seconds, and minutes that pass for the hours before them."""
    assert spoken_duration(seconds) == words
