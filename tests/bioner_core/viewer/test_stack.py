"""Mentions of a passage as pieces that nest."""

from collections.abc import Iterator, Sequence

from hypothesis import given
from hypothesis import strategies as st

from bioner_core.mentions import Mention
from bioner_core.viewer.stack import Piece, stacked

TEXT = "儿童 CD28 and 𠮷 more"


def mention(number: int, start: int, end: int, accepted: bool) -> Mention:
    """A mention of `TEXT`."""
    return Mention(
        f"m{number}", "d", 1, 0, "title", "en", 0, start, end, TEXT[start:end], "s", "t", None, 0, 1.0, 0.5, accepted
    )


MENTIONS = st.lists(st.tuples(st.integers(0, len(TEXT) - 1), st.integers(1, 9), st.booleans()), max_size=9).map(
    lambda found: [mention(n, a, min(a + size, len(TEXT)), kind) for n, (a, size, kind) in enumerate(found)]
)


def texts(content: Sequence[Piece | str]) -> str:
    """The text of some content."""
    return "".join(one if isinstance(one, str) else texts(one.content) for one in content)


def pieces(content: Sequence[Piece | str]) -> Iterator[Piece]:
    """All pieces, an outer one before those inside it."""
    for one in content:
        if isinstance(one, Piece):
            yield one
            yield from pieces(one.content)


@given(MENTIONS)
def test_the_pieces_of_each_mention_are_its_text(mentions: list[Mention]) -> None:
    """Catches text that is lost, doubled or drawn under a wrong line, with crossing and equal spans too."""
    stack = stacked(TEXT, mentions)
    assert texts(stack.content) == TEXT
    found: dict[str, str] = {one.mention_id: "" for one in mentions}
    starts = {one.mention_id: 0 for one in mentions}
    for piece in pieces(stack.content):
        found[piece.mention.mention_id] += texts([piece])
        starts[piece.mention.mention_id] += piece.is_start
    assert found == {one.mention_id: one.text for one in mentions}
    assert set(starts.values()) <= {1}


@given(MENTIONS)
def test_lines_of_one_kind_never_lie_on_each_other(mentions: list[Mention]) -> None:
    """Catches two lines at one level over one character."""
    levels = stacked(TEXT, mentions).levels
    for one in mentions:
        for other in mentions:
            if one is not other and one.accepted == other.accepted and one.start < other.end and other.start < one.end:
                assert levels[one.mention_id] != levels[other.mention_id]


def test_a_long_mention_is_whole_and_outside() -> None:
    """Catches a rejected candidate that cuts an accepted mention in pieces, and levels that leave gaps."""
    accepted, inner, rejected = mention(0, 3, 7, True), mention(1, 3, 5, True), mention(2, 0, 12, False)
    stack = stacked(TEXT, [rejected, inner, accepted])
    counts = dict.fromkeys(("m0", "m1", "m2"), 0)
    for piece in pieces(stack.content):
        counts[piece.mention.mention_id] += 1
    assert counts == {"m0": 1, "m1": 1, "m2": 4}
    assert stack.levels == {"m0": 2, "m1": 1, "m2": 1}
    assert stack.height([accepted, inner, rejected], accepted=True) == 2
    assert stack.height([], accepted=False) == 0
