"""Cutting a sentence that is longer than a model should be asked to copy, never inside a tagging unit."""

from bioner_core.text.units import Unit, estimate_tokens, split_units

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
