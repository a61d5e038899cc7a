"""Mentions of a passage as pieces that nest: what a page and a terminal draw lines from.

Mentions may cross (those of two label sets, or rejected candidates); then the one that stands further inside is drawn
in several pieces. Accepted mentions stand outside of rejected ones, long ones outside of short ones.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from bioner_core.mentions import Mention


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a mention and what lies in it: text and smaller pieces in their order.

    `is_start` marks the first piece of its mention.
    """

    mention: Mention
    is_start: bool
    content: tuple["Piece | str", ...]


@dataclass(frozen=True, slots=True)
class Stack:
    """The whole passage: its content in order, and the level of each mention by its id.

    The line of a mention is drawn at its level, from 1 for those next to the text. Accepted and rejected ones are
    counted apart; within a kind two mentions that share a character never have one level.
    """

    content: tuple[Piece | str, ...]
    levels: Mapping[str, int]

    def height(self, mentions: Sequence[Mention], *, accepted: bool) -> int:
        """How many lines these mentions take, 0 where there are none of the kind."""
        return max((self.levels[one.mention_id] for one in mentions if one.accepted == accepted), default=0)


@dataclass(slots=True)
class _OpenPiece:
    """A piece that may still grow."""

    mention: Mention
    is_start: bool
    content: list["_OpenPiece | str"] = field(default_factory=list)


def stacked(text: str, mentions: Sequence[Mention]) -> Stack:
    """Cut a passage's text at the edges of its mentions. Joined, the texts of the content are `text`."""
    starting, ending = defaultdict[int, list[Mention]](list), set[int]()
    for one in mentions:
        starting[one.start].append(one)
        ending.add(one.end)
    content: list[_OpenPiece | str] = []
    open_pieces: list[_OpenPiece] = []
    inside: dict[str, set[str]] = {one.mention_id: set() for one in mentions}
    edges = sorted({0, len(text), *starting, *ending})
    for number, edge in enumerate(edges):
        _turn(open_pieces, content, starting[edge], edge=edge)
        for outer, inner in pairwise(open_pieces):
            inside[outer.mention.mention_id].add(inner.mention.mention_id)
        end = edges[number + 1] if number + 1 < len(edges) else edge
        if end > edge:
            (open_pieces[-1].content if open_pieces else content).append(text[edge:end])
    return Stack(_closed(content), _levels(mentions, inside))


def _closed(content: Sequence[_OpenPiece | str]) -> tuple[Piece | str, ...]:
    return tuple(
        one if isinstance(one, str) else Piece(one.mention, one.is_start, _closed(one.content)) for one in content
    )


def _turn(
    open_pieces: list[_OpenPiece], content: list[_OpenPiece | str], starting: Sequence[Mention], *, edge: int
) -> None:
    """Close what ends at an edge and open what starts there; what is only in the way is closed and opened again."""
    going_on = [one.mention for one in open_pieces if one.mention.end > edge]
    wanted = sorted([*going_on, *starting], key=_outside_first)
    kept = 0
    while kept < min(len(wanted), len(open_pieces)) and open_pieces[kept].mention is wanted[kept]:
        kept += 1
    del open_pieces[kept:]
    for mention in wanted[kept:]:
        piece = _OpenPiece(mention, is_start=mention.start == edge)
        (open_pieces[-1].content if open_pieces else content).append(piece)
        open_pieces.append(piece)


def _outside_first(mention: Mention) -> tuple[object, ...]:
    size = mention.end - mention.start
    return (not mention.accepted, -size, mention.start, mention.label_set, mention.type, mention.mention_id)


def _levels(mentions: Sequence[Mention], inside: dict[str, set[str]]) -> dict[str, int]:
    accepted = {one.mention_id: one.accepted for one in mentions}
    levels: dict[str, int] = {}
    for one in sorted(mentions, key=_outside_first, reverse=True):
        below = (levels[name] for name in inside[one.mention_id] if accepted[name] == one.accepted)
        levels[one.mention_id] = 1 + max(below, default=0)
    return levels
