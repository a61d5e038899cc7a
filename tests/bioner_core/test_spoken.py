"""Counts and lengths of time for a person."""

import pytest

from bioner_core.spoken import spoken_count, spoken_duration


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


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [
        (0, "shard", "0 shards"),
        (1, "shard", "1 shard"),
        (2, "shard", "2 shards"),
        (12, "row of text", "12 rows of text"),
        (1, "entity", "1 entity"),
        (3, "entity", "3 entities"),
        (2, "day", "2 days"),
    ],
)
def test_one_of_a_thing_has_no_plural(number: int, noun: str, words: str) -> None:
    """Catches "1 shards", which a person reads first of all after a small run."""
    assert spoken_count(number, noun) == words
