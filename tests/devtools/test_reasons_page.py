"""What the code rests on is explained where it stands, and the page of it finds every explanation."""

from collections import Counter
from pathlib import Path

import pytest

from devtools import reasons_page
from devtools.reasons_page import AREAS, Reason, page, reasons, reasons_of

SAMPLE = '''"""A module."""

LIMIT = 3
"""As many as fit."""

# How long | short.
SECONDS = 2.0

_BARE = 4 * 1024
NAMES = ("a",)


class Keeper:
    """Keeps."""

    def keep(self) -> None:
        """Keep."""
        # Invariant: what is kept stays
        # kept.
        # Race: two may keep at once.
        return None
'''


def test_comments_and_constants_are_found_with_their_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a page that loses the second line of a reason, its place, or a number that nobody explains."""
    monkeypatch.setattr(reasons_page, "REPOSITORY", tmp_path)
    path = tmp_path / "sample.py"
    path.write_text(SAMPLE, encoding="utf-8")
    assert reasons_of(path) == [
        Reason("Invariant", "sample.py: Keeper.keep", "What is kept stays kept."),
        Reason("Race", "sample.py: Keeper.keep", "Two may keep at once."),
        Reason("Number", "sample.py: LIMIT = 3", "As many as fit."),
        Reason("Number", "sample.py: SECONDS = 2.0", "How long \\| short."),
        Reason("Number", "sample.py: _BARE = 4 * 1024", ""),
    ]


@pytest.mark.parametrize("area", AREAS)
def test_each_area_explains_its_invariants_and_numbers(area: str) -> None:
    """Catches a rewrite that drops the comments with the code: the next one breaks what they guarded."""
    found = Counter(one.kind for one in reasons(area))
    assert found["Invariant"] >= 3
    assert found["Number"] >= 3


def test_there_are_thirty_invariants_and_races() -> None:
    """Catches reasons that go lost one at a time."""
    found = [one for area in AREAS for one in reasons(area) if one.kind != "Number"]
    whole = page()
    assert len(found) >= 30
    assert all(one.words in whole for one in found)


def test_no_number_is_without_a_reason() -> None:
    """Catches a constant of which nobody can say why it is not twice as large."""
    assert not [one.place for area in AREAS for one in reasons(area) if not one.words]
