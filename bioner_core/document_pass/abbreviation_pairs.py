"""Abbreviations that a document defines, long form and short form, in English and Chinese.

After Schwartz and Hearst: a bracket behind a term holds letters that occur in the term in this order, the first one at
the beginning of a word. A word begins behind a Han character too, since Chinese has no blanks. The brackets may be full
width. A short form may follow its English long form inside the bracket, behind a comma
(`慢阻肺(chronic obstructive pulmonary disease,COPD)`). A Latin short form of a Chinese term shares no letters with it:
where that term begins, only a known mention can say.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bioner_core.documents import Passage

_BRACKET = re.compile(r"[(（\[]\s*+([^()（）\[\]\s][^()（）\[\]]{0,118}[^()（）\[\]\s])\s*+[)）\]]")
"""What stands in a bracket, without the blanks at its edges: tokenised corpora write `( COPD )`."""
_SHORT = re.compile(r"[^\W_][\w/+.\-’']{0,10}(?: ?[\w/+.\-]{1,5})?")
_COMMA = re.compile(r"[,，;；]\s*")
_INTRODUCTION = re.compile(
    r"(?:(?:以下|下文|以下均|下)?简称(?:为|作)?|以下称|英文(?:缩写|简称)(?:为|是)?|缩写(?:为|是)?|"
    r"abbreviat(?:ed(?: to| as)?|ion)|abbr\.?|acronym|short form|hereafter|hereinafter|termed|i\.e\.)\s*[:：]?\s*",
    re.IGNORECASE,
)
_CLOSING_QUOTES = '"”’»」』'
_QUOTES = _CLOSING_QUOTES + "'“‘„«「『`"
_QUOTES_AND_BLANKS = _QUOTES + " \t\r\n\u00a0\u3000"
_SENTENCE_END = re.compile(r"[.;:!?。；：！？]\s+(?=\S)|[。；！？\n]|[(（)）]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_LAST_WORD = re.compile(rf"[^\s\u3400-\u9fff{_QUOTES}]+$")
_LOOKED_BACK = 1_000
"""Characters before a bracket that a definition may take: without an end, brackets cost the square of a passage."""


@dataclass(frozen=True, slots=True)
class AbbreviationPair:
    """One definition in a passage: offsets of both forms into its text, end exclusive."""

    passage_index: int
    long_start: int
    long_end: int
    long_form: str
    short_start: int
    short_end: int
    short_form: str


def abbreviation_pairs(
    passages: Sequence[Passage], *, known: Iterable[tuple[int, int, int]] = ()
) -> list[AbbreviationPair]:
    """The definitions of a document, in the order of its text; of a short form defined twice the first one counts.

    `known` are mentions (passage, start, end) in any order: a Chinese term that ends where a bracket with Latin letters
    begins is taken to be its long form, of several the longest.
    """
    ends = {(passage, end): start for passage, start, end in sorted(known, reverse=True)}
    found: dict[str, AbbreviationPair] = {}
    for index, passage in enumerate(passages):
        for pair in _in_passage(index, passage.text, ends):
            found.setdefault(pair.short_form, pair)
    return sorted(found.values(), key=lambda one: (one.passage_index, one.short_start))


def _in_passage(index: int, text: str, ends: Mapping[tuple[int, int], int]) -> Iterator[AbbreviationPair]:
    for bracket in _BRACKET.finditer(text):
        parts = [one for one in _parts(bracket[1], bracket.start(1)) if one[0]]
        if not parts:
            continue
        since = max(0, bracket.start() - _LOOKED_BACK)
        before = text[since : bracket.start()].rstrip().rstrip(_CLOSING_QUOTES)
        (short, short_at), (last, last_at) = parts[0], parts[-1]
        if is_short_form(short):
            pair = _behind(index, text, (since, before), short, short_at, ends)
            if pair:
                yield pair
                continue
        if len(parts) > 1 and is_short_form(last):
            end = parts[-2][1] + len(parts[-2][0])
            yield from _inside(index, text, (bracket.start(1), end), last, last_at)
        elif len(parts) == 1:
            yield from _reversed(index, text, (since, before), short, short_at)


def _parts(inside: str, at: int) -> Iterator[tuple[str, int]]:
    """What stands between the commas of a bracket, and where, without quotes and what introduces a short form."""
    start = 0
    for end, following in [*(comma.span() for comma in _COMMA.finditer(inside)), (len(inside), len(inside))]:
        introduced = _INTRODUCTION.match(inside, start, end)
        first = introduced.end() if introduced else start
        part = inside[first:end].lstrip()
        if quoted := part.lstrip(_QUOTES_AND_BLANKS) != part:
            part = part.lstrip(_QUOTES_AND_BLANKS)
        # without an opening quote the last sign is the name's own: `Ph'`
        yield part.rstrip(_QUOTES_AND_BLANKS if quoted else None), at + end - len(part)
        start = following


def _reversed(index: int, text: str, looked_at: tuple[int, str], inside: str, at: int) -> Iterator[AbbreviationPair]:
    """The pair of a bracket that holds the long form, its short form before it; `looked_at` as for `_behind`."""
    since, before = looked_at
    last = _last_word(before)
    if not is_short_form(last) or len(inside) <= len(last):
        return
    start = matched_start(inside, last)
    # `DNA (dsDNA)` defines nothing
    if start is not None and not inside[start:].casefold().endswith(last.casefold()) and not _HAN.search(inside, start):
        short_end = since + len(before)
        yield _pair(index, text, (at + start, at + len(inside)), (short_end - len(last), short_end))


def is_short_form(text: str) -> bool:
    """Whether a text can be an abbreviation: 2 to 12 characters, a letter among them, not a plain word or number."""
    if not (2 <= len(text) <= 12) or _SHORT.fullmatch(text) is None or _HAN.search(text):
        return False
    letters = [char for char in text if char.isalpha()]
    return bool(letters) and (any(char.isupper() for char in letters) or len(text) <= 5)


def matched_start(term: str, short: str) -> int | None:
    """Where in a term the long form of `short` begins, if its letters are there in order; None where they are not."""
    place = len(term) - 1
    for number in range(len(short) - 1, -1, -1):
        char = short[number].casefold()
        if not char.isalnum():
            continue
        while place >= 0 and (
            term[place].casefold() != char or (number == 0 and place > 0 and _is_inside_word(term[place - 1]))
        ):
            place -= 1
        if place < 0:
            return None
        place -= 1
    return place + 1


def _is_inside_word(before: str) -> bool:
    return before.isalnum() and not _HAN.match(before)


def _behind(
    index: int, text: str, looked_at: tuple[int, str], short: str, short_at: int, ends: Mapping[tuple[int, int], int]
) -> AbbreviationPair | None:
    """The pair of a bracket that holds a short form; `looked_at` is the text before it, and where that begins."""
    offset, before = looked_at
    end = offset + len(before)
    short_span = (short_at, short_at + len(short))
    known = ends.get((index, end))
    # a Chinese name may end in a letter or digit: 白细胞介素-6
    if known is not None and _HAN.search(text, known, end):
        return _pair(index, text, (known, end), short_span)
    if before and _HAN.match(before[-1]):
        return None
    since = max((one.end() for one in _SENTENCE_END.finditer(before)), default=0)
    words = list(re.finditer(r"\S+", before[since:]))
    most = min(len(short) + 5, 2 * len(short))
    if not words:
        return None
    begin = since + words[-min(most, len(words))].start()
    start = matched_start(before[begin:], short)
    if start is None or len(before) - begin - start <= len(short) or _HAN.search(before, begin + start):
        return None
    return _pair(index, text, (offset + begin + start, end), short_span)


def _inside(index: int, text: str, term_span: tuple[int, int], short: str, short_at: int) -> Iterator[AbbreviationPair]:
    """The pairs of a bracket that holds an English long form, a comma and its short form."""
    at, end = term_span
    term = text[at:end]
    start = matched_start(term, short)
    if start is not None and len(term) - start > len(short):
        yield _pair(index, text, (at + start, end), (short_at, short_at + len(short)))


def _pair(index: int, text: str, long_span: tuple[int, int], short_span: tuple[int, int]) -> AbbreviationPair:
    return AbbreviationPair(index, *long_span, text[slice(*long_span)], *short_span, text[slice(*short_span)])


def _last_word(text: str) -> str:
    """The last word of a text, which begins behind a blank, a quote or a Han character."""
    found = _LAST_WORD.search(text)
    return found[0] if found else ""
