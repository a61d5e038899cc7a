"""Boundary-sensitive negatives: spans that are almost right."""

import random
from collections.abc import Callable, Collection

from bioner_core.tagging.moves import UnitSpan
from bioner_core.tagging.render import nest

MAX_SHIFT = 2


def move_edge(span: UnitSpan, unit_count: int, chooser: random.Random) -> UnitSpan:
    """One edge moved by one or two units, in or out; the span itself where no such span exists."""
    shift = chooser.choice([-MAX_SHIFT, -1, 1, MAX_SHIFT])
    if chooser.random() < 0.5:
        return _within(UnitSpan(span.start + shift, span.end, span.type_index), span, unit_count)
    return _within(UnitSpan(span.start, span.end + shift, span.type_index), span, unit_count)


def sub_span(span: UnitSpan, unit_count: int, chooser: random.Random) -> UnitSpan:
    """A part of the span; the span itself when it has one unit."""
    start = chooser.randint(span.start, span.end - 1)
    return UnitSpan(start, chooser.randint(start + 1, span.end), span.type_index)


def super_span(span: UnitSpan, unit_count: int, chooser: random.Random) -> UnitSpan:
    """The span with up to three units more on either side."""
    start = max(0, span.start - chooser.randint(0, 3))
    return UnitSpan(start, min(unit_count, span.end + chooser.randint(0, 3)), span.type_index)


def other_type(span: UnitSpan, type_count: int, chooser: random.Random) -> UnitSpan:
    """The right span with another type; the span itself when there is only one type."""
    return UnitSpan(span.start, span.end, chooser.choice([i for i in range(type_count) if i != span.type_index] or [0]))


def stray_span(unit_count: int, type_count: int, chooser: random.Random) -> UnitSpan:
    """A span anywhere, of any type, one to four units long."""
    start = chooser.randrange(unit_count)
    return UnitSpan(start, min(unit_count, start + chooser.randint(1, 4)), chooser.randrange(type_count))


def corrupt(gold: Collection[UnitSpan], *, unit_count: int, type_count: int, chooser: random.Random) -> list[UnitSpan]:
    """The gold spans of a text with about half of them made almost right, and now and then a stray one.

    What is returned nests properly, so that it can be rendered and read by the model as if it had tagged it.
    """
    boundary: list[Callable[[UnitSpan, int, random.Random], UnitSpan]] = [move_edge, move_edge, sub_span, super_span]
    spans: list[UnitSpan] = []
    for span in gold:
        draw = chooser.random()
        if draw < 0.4:
            spans.append(chooser.choice(boundary)(span, unit_count, chooser))
        elif draw < 0.55:
            spans.append(other_type(span, type_count, chooser))
        else:
            spans.append(span)
    if chooser.random() < 0.3:
        spans.append(stray_span(unit_count, type_count, chooser))
    return list(nest(spans).spans)


def _within(candidate: UnitSpan, span: UnitSpan, unit_count: int) -> UnitSpan:
    fits = 0 <= candidate.start < candidate.end <= unit_count
    return candidate if fits else span
