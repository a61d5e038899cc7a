"""Sentences that a model cannot see whole, cut into pieces that it can see."""

from collections.abc import Callable, Iterator

from bioner_core.errors import ModelError
from bioner_core.text.sentences import cut_long, trimmed_range
from bioner_core.text.units import MAX_LETTERS, estimate_tokens, split_units

LONGEST_PIECE = 512
"""Tokens of a piece, whatever the context: the memory of a row grows with the square of its length, and models are
trained on sentences, of which the longest take about 200 (`MAX_SENTENCE_TOKENS`)."""

_LEAST_PIECE = 64
"""A model that sees less than this behind its prompt would cut ordinary sentences, and lose entities at the cuts."""
_TAGS_TO_SOURCE = 0.5
"""Tags reckoned with for each token of a sentence; the gold corpora have a quarter at most."""
_FINEST_CUT = MAX_LETTERS // 4
"""The longest unit by `estimate_tokens`."""


def longest_piece(context: int | None, *, prompt: int, separator: int, label_set: str) -> int:
    """Tokens of the longest sentence whose prompt, text, separator and tagged copy all fit into a model's context.

    Half as many tags as tokens are reckoned with; the gold corpora have a quarter at most. `context` None is no limit.

    Raises:
        ModelError: the prompt leaves no room for a sentence.
    """
    if context is None:
        return LONGEST_PIECE
    room = int((context - prompt - separator) / (2 + _TAGS_TO_SOURCE))
    if room < _LEAST_PIECE:
        raise ModelError(
            f"label set {label_set!r}: its prompt takes {prompt} of the {context} tokens that the model can see and "
            f"leaves sentences of {max(0, room)}, fewer than {_LEAST_PIECE}: shorten its definitions or take a base "
            "with a longer context"
        )
    return min(LONGEST_PIECE, room)


def pieces_within(text: str, most: int, *, count: Callable[[str], int]) -> list[tuple[int, int]]:
    """Ranges of the text, in order and cut between tagging units, each of at most `most` tokens by `count`.

    A text that fits is one range, one of white space only none at all. White space at the edges of a cut text's pieces
    belongs to none. Only a single unit may be longer than `most`.
    """
    if not text.strip():
        return []
    if count(text) <= most:
        return [(0, len(text))]
    return [range_ for start, end in _cut(text, 0, most, count) for range_ in trimmed_range(text, start=start, end=end)]


def _cut(text: str, origin: int, most: int, count: Callable[[str], int]) -> Iterator[tuple[int, int]]:
    found, estimate = count(text), estimate_tokens(text)
    if found <= most:
        yield origin, origin + len(text)
    elif estimate <= _FINEST_CUT:
        for start, end in _runs_of_units(text, most, count):
            yield origin + start, origin + end
    else:
        # Tokens are dearer in some parts of a text than in others, so a piece may still be too long: it is cut again.
        cap = max(_FINEST_CUT, min(estimate - 1, estimate * most // found))
        for start, end in cut_long(text, cap):
            yield from _cut(text[start:end], origin + start, most, count)


def _runs_of_units(text: str, most: int, count: Callable[[str], int]) -> Iterator[tuple[int, int]]:
    start = 0
    for unit in split_units(text):
        if unit.start > start and count(text[start : unit.end]) > most:
            yield start, unit.start
            start = unit.start
    yield start, len(text)
