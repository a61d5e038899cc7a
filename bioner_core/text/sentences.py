"""Sentences of a passage, with exact offsets: the pieces that a model annotates one by one.

One that is longer than a model should be asked to copy is cut, never inside a tagging unit.
"""

from collections.abc import Iterator

from bioner_core.documents import Passage, Sentence
from bioner_core.text.boundaries import sentence_ends
from bioner_core.text.folding import fold
from bioner_core.text.units import Unit, estimate_tokens, split_units

SPLITTER_VERSION = "rules-4"
"""Part of the fingerprint: change it with any change that moves a boundary, the word lists included."""

MAX_SENTENCE_TOKENS = 200
"""Longest sentence by `estimate_tokens`; 12 of 15,038 GENIA training sentences and 89 of 15,000 of CMeEE are longer."""


def split_passage(passage: Passage, passage_index: int) -> list[Sentence]:
    """The sentences of a passage, in order and without overlap; `passage.text[s.start:s.end] == s.text` for each.

    Every character that is not white space lies in exactly one sentence; no sentence starts or ends with white space.
    A sentence above `MAX_SENTENCE_TOKENS` is cut between tagging units, so nothing is truncated. Works in time linear
    in the text for any text, lone surrogates and control characters included; the language tag changes nothing.
    """
    return [
        Sentence(passage_index, index, start, end, passage.text[start:end], passage.lang)
        for index, (start, end) in enumerate(_ranges(passage.text))
    ]


def _ranges(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for end in (*sentence_ends(_plain_form(text)), len(text)):
        whole = trimmed_range(text, start=start, end=end)
        if end - start <= MAX_SENTENCE_TOKENS:
            yield from whole
        else:
            for first, last in whole:
                yield from _pieces(text, first, last)
        start = end


def _plain_form(text: str) -> str:
    """What the rules look at: other forms of letters and digits (`H₂O₂`) as plain ones, where no offset moves."""
    folded = fold(text)
    return folded.text if folded.ends is None else text


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for first, last in cut_long(text[start:end], MAX_SENTENCE_TOKENS):
        yield from trimmed_range(text, start=start + first, end=start + last)


def trimmed_range(text: str, *, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The range without white space at its edges, or nothing when it is all white space."""
    piece = text[start:end]
    kept = piece.strip()
    if kept:
        start += len(piece) - len(piece.lstrip())
        yield start, start + len(kept)


_CUT_AFTER = ("\n", ";；。！？!?", ",，", "、:：")
_WEAKEST_MARK = len(_CUT_AFTER)
_BLANK = _WEAKEST_MARK
_ANY_UNIT = _WEAKEST_MARK + 1
_USUAL_LETTERS_PER_TOKEN = 4
_NEEDS_BLANK = frozenset(";,:!?")


def cut_long(text: str, max_tokens: int) -> list[tuple[int, int]]:
    """Cut a text into consecutive ranges that cover it, each of at most `max_tokens` by `estimate_tokens`.

    A cut falls at the last best place in the window that the cap allows, the first quarter left out: after a line end,
    then after `; ； 。`, then `, ，`, then `、 :`, then before a blank, then between any two units. Linear in the text.
    `max_tokens` is at least the longest unit's (12).
    """
    ranges: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        end = start + _piece_length(text, start, max_tokens)
        ranges.append((start, end))
        start = end
    return ranges


def _piece_length(text: str, start: int, max_tokens: int) -> int:
    """The length of the piece that starts at `start`: all that is left where it fits, else up to the best cut."""
    rest = len(text) - start
    # Windows grow from the cap, so that dense text is not read far ahead; a usual sentence is counted in one go.
    size = rest if rest <= _USUAL_LETTERS_PER_TOKEN * max_tokens else max_tokens + 1
    window = text[start : start + size]
    while estimate_tokens(window) <= max_tokens:
        if size >= rest:
            return rest
        size *= 2
        window = text[start : start + size]
    return _best_cut(window, _fitting(window, max_tokens))


def _fitting(window: str, max_tokens: int) -> list[Unit]:
    """The leading units of the window that fit the cap, and the one after them, before which a cut may fall."""
    units: list[Unit] = []
    tokens = 0
    for unit in split_units(window):
        units.append(unit)
        tokens += estimate_tokens(window[unit.core : unit.end])
        if tokens > max_tokens:
            break
    return units


def _best_cut(window: str, units: list[Unit]) -> int:
    best_rank, best_cut = _ANY_UNIT + 1, 0
    for unit in reversed(units[max(1, len(units) // 4) :]):
        rank = _rank(window, unit)
        if rank < best_rank:
            best_rank, best_cut = rank, unit.start
    return best_cut


def _rank(window: str, unit: Unit) -> int:
    """How good it is to cut before this unit; 0 is best."""
    previous, following = window[unit.start - 1], window[unit.start]
    for rank, marks in enumerate(_CUT_AFTER):
        if previous in marks and (previous not in _NEEDS_BLANK or following.isspace()):
            return rank
    return _BLANK if following.isspace() else _ANY_UNIT
