"""Mentions: nested entity spans with exact offsets, and the rule that makes parents and depths of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """An entity of one type at `text[start:end]`; code points from 0, end exclusive, never empty."""

    start: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class GoldSentence:
    """A sentence and its gold spans in code points."""

    text: str
    spans: frozenset[Span]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span that the decoder tagged in one text, before it is placed in its document.

    `tag_score` is the mean log-margin of its tag decisions against their best legal rival; `selector_score` is the
    selector's calibrated probability; `accepted` is the selector's decision.
    """

    start: int
    end: int
    type: str
    tag_score: float
    selector_score: float
    accepted: bool


@dataclass(frozen=True, slots=True)
class Mention:
    """One candidate placed in its document; `start` and `end` are offsets into `Passage.text`.

    `origin` is what proposed it (`decoder`, `abbreviation`, `repeat`; None means the decoder); `assertion` is what its
    sentence says of it (`present`, `negated`, `uncertain`, `other`), None where that was not judged.
    """

    mention_id: str
    doc_id: str
    doc_version: int
    passage_index: int
    section: str
    lang: str
    sentence_index: int
    start: int
    end: int
    text: str
    label_set: str
    type: str
    parent_id: str | None
    depth: int
    tag_score: float
    selector_score: float
    accepted: bool
    origin: str | None = None
    assertion: str | None = None


class HasEdges(Protocol):
    """Whatever stands from `start` to `end` of a text, in code points; the end is exclusive."""

    @property
    def start(self) -> int:
        """Its first code point."""
        ...

    @property
    def end(self) -> int:
        """The code point behind its last."""
        ...


def encloses(outer: HasEdges, inner: HasEdges) -> bool:
    """Whether `outer` is strictly larger than `inner` and holds it."""
    return (
        outer.start <= inner.start and inner.end <= outer.end and (outer.end - outer.start) > (inner.end - inner.start)
    )


def parent_indices(candidates: Sequence[Candidate]) -> list[int | None]:
    """For each candidate, the index of the smallest accepted candidate that encloses it, or None.

    Candidates are those of one sentence and one label set. Only an accepted mention can be a parent, so that a dropped
    entity never stands between two kept ones. Two mentions with the same edges are siblings.
    """
    return [_smallest_enclosing(candidates, inner) for inner in candidates]


def depths(parents: Sequence[int | None]) -> list[int]:
    """The number of ancestors of each candidate, given `parent_indices` of them."""
    found: list[int] = []
    for parent in parents:
        depth = 0
        while parent is not None:
            depth += 1
            parent = parents[parent]
        found.append(depth)
    return found


def _smallest_enclosing(candidates: Sequence[Candidate], inner: Candidate) -> int | None:
    holders = [i for i, outer in enumerate(candidates) if outer.accepted and encloses(outer, inner)]
    return min(
        holders,
        key=lambda i: (candidates[i].end - candidates[i].start, candidates[i].start, candidates[i].type),
        default=None,
    )
