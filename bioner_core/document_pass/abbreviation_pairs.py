"""Abbreviations that a document defines, long form and short form, in English and Chinese.

After Schwartz and Hearst: a bracket behind a term holds letters that occur in the term in this order, the first one at
the beginning of a word. In Chinese the brackets may be full width; a Latin short form follows its English long form
inside the bracket, before a comma (`慢阻肺(chronic obstructive pulmonary disease,COPD)`), or stands there for the
which only a known mention can delimit.
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
    r"^(?:简称|以下简称|英文缩写|abbreviated(?: as)?|hereafter|termed|i\.e\.)\s*[:：]?\s*", re.IGNORECASE
)
_END_OF_LONG_FORM = re.compile(r"[\s,，;；]*\Z")
_SENTENCE_END = re.compile(r"[.;:!?。；：！？]\s+(?=\S)|[。；！？\n]|[(（)）]")
_HAN = re.compile(r"[\u3400-\u9fff]")
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
        inside = bracket[1]
        first, at = inside, bracket.start(1)
        skipped = _INTRODUCTION.match(first)
        if skipped:
            first, at = first[skipped.end() :], at + skipped.end()
        parts = _COMMA.split(first)
        short = parts[0].strip()
        since = max(0, bracket.start() - _LOOKED_BACK)
        before = text[since : bracket.start()].rstrip()
        if is_short_form(short):
            pair = _behind(index, text, (since, before), short, at, ends)
            if pair:
                yield pair
                continue
        if len(parts) > 1 and is_short_form(parts[-1].strip()):
            yield from _inside(index, text, bracket.start(1), inside, parts[-1].strip())
        elif len(parts) == 1 and is_short_form(last := _last_word(before)) and len(inside) > len(last):
            # the other way round: the short form before the bracket, the long form in it
            start = matched_start(inside, last)
            if start is not None and start < len(inside) and inside[start:].casefold() != last.casefold():
                begin = bracket.start(1) + start
                short_end = since + len(before)
                yield _pair(index, text, (begin, bracket.end(1)), (short_end - len(last), short_end))


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
            term[place].casefold() != char or (number == 0 and place > 0 and term[place - 1].isalnum())
        ):
            place -= 1
        if place < 0:
            return None
        place -= 1
    return place + 1


def _behind(
    index: int, text: str, looked_at: tuple[int, str], short: str, short_at: int, ends: Mapping[tuple[int, int], int]
) -> AbbreviationPair | None:
    """The pair of a bracket that holds a short form; `looked_at` is the text before it, and where that begins."""
    offset, before = looked_at
    end = offset + len(before)
    short_span = (short_at, short_at + len(short))
    known = ends.get((index, end))
    if before and _HAN.match(before[-1]):
        return None if known is None else _pair(index, text, (known, end), short_span)
    since = max((one.end() for one in _SENTENCE_END.finditer(before)), default=0)
    words = list(re.finditer(r"\S+", before[since:]))
    most = min(len(short) + 5, 2 * len(short))
    if not words:
        return None
    begin = since + words[-min(most, len(words))].start()
    start = matched_start(before[begin:], short)
    if start is None or len(before) - begin - start <= len(short):
        return None
    return _pair(index, text, (offset + begin + start, end), short_span)


def _inside(index: int, text: str, at: int, inside: str, short: str) -> Iterator[AbbreviationPair]:
    """The pairs of a bracket that holds an English long form, a comma and its short form."""
    short_at = inside.rindex(short)
    term = _END_OF_LONG_FORM.sub("", inside[:short_at])
    start = matched_start(term, short)
    if start is not None and len(term) - start > len(short):
        yield _pair(index, text, (at + start, at + len(term)), (at + short_at, at + short_at + len(short)))


def _pair(index: int, text: str, long_span: tuple[int, int], short_span: tuple[int, int]) -> AbbreviationPair:
    return AbbreviationPair(index, *long_span, text[slice(*long_span)], *short_span, text[slice(*short_span)])


def _last_word(text: str) -> str:
    found = re.search(r"\S+$", text)
    return found[0] if found else ""
