"""Where sentences end, by rules that look at the characters only, never at a language tag (docs/sentence_splitting.md).

Every pattern is possessive and every look to the left or right is bounded, so the time is linear in the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bioner_core.text.stops import (
    GLUED_OPENING_WORDS,
    NEVER_BEFORE_NUMBER,
    NEVER_LAST,
    OPENING_WORDS,
    PLACE_BEFORE_INITIAL,
    RANKS,
    SELDOM_LAST,
    Enclosed,
    enclosed_pieces,
    is_letter_unit,
    is_split_decimal,
    is_unit,
)

_CLOSERS = r"\"'”’」』）)\]】》〉»"
_OPENERS = "\"'“‘「『（([【《〈«"
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"

_CANDIDATE = re.compile(rf"(?P<mark>[.!?…．。！？｡]++)(?P<close>[{_CLOSERS}]*+)(?P<gap>\s*+)|(?P<bracket>\])(?=\s)")
_IS_CJK = re.compile(f"[{_CJK}]")
_ENUMERATOR = re.compile(r"[(（]?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})")
_INITIALS = re.compile(r"[A-Z]\w?(?:\.-?[A-Z]\w?)+")
_NEXT_INITIAL = re.compile(r"[A-Z]\.")
# who named an organism first: `Arabidopsis thaliana (L.) Heynh.`
_NAMER = re.compile(r"(?<=[a-z]\s)\([A-Z][a-z]{0,7}\.(?: ?f\.)?\)(?=\s[A-Z])")
_IN_BRACKETS = re.compile(r"\((?:[A-Z][a-z]{0,7}|f)\.\)|f\.\)")
_DECIMAL = re.compile(r"\d[.．]\d+$")
_ROUND = re.compile(r"[()]")
_WORD = re.compile(r"[A-Za-z]+")
_SYMBOL_START = re.compile(
    r"[a-z]{1,4}-?[A-Z0-9]|[a-z]-[a-z]|(?:alpha|beta|gamma|delta|kappa)\b|[\u0370-\u03ff\U0001d6a8-\U0001d7cb]"
)
_WORD_END = re.compile(r"[A-Za-z0-9]{3}$|\d\.\d{1,3}$|[)%\]]$")
_LOWER_WORD_END = re.compile(r"[a-z]{3}$|[)%]$")
_GLUED = re.compile(rf"(?:{GLUED_OPENING_WORDS})(?=[\s,])")
_CITATION = re.compile(r"(?:\[\d[\d,–\- ]*+\]|\d{1,3}(?:[,–-]\d{1,3})*+)(?=\s++[A-Z(\[\"])")
_GOES_ON = re.compile(r"[，、；：,;:）)]")
_GLUED_SYMBOL = re.compile(rf"[A-Z\u0370-\u03ff][\w-]|(?:{_SYMBOL_START.pattern})")
_CHINESE_ITEM = re.compile("[一二三四五六七八九十]{1,3}")
_REMARK = re.compile(r"\[(?:see comment|comment|published erratum|erratum|letter|editorial)", re.IGNORECASE)

# One line end may be a wrapped line; an empty line always parts paragraphs.
_EMPTY_LINE = re.compile(r"\n[^\S\n]*+\n\s*+")

_WORD_REACH = 40
_BRACKET_REACH = 300


@dataclass(slots=True)
class _Sentence:
    """The sentence that is being read: where it starts, its round brackets counted so far, and what holds together."""

    text: str
    held: Enclosed
    start: int
    counted_to: int
    depth: int = 0

    def is_inside_brackets(self, position: int) -> bool:
        """Whether a bracket is open at `position` and really closes, soon and before another opens."""
        for bracket in _ROUND.findall(self.text, self.counted_to, position):
            # The bracket of an item number (`a)`) closes nothing.
            self.depth = self.depth + 1 if bracket == "(" else max(0, self.depth - 1)
        self.counted_to = position
        return self.depth > 0 and self._closes_soon(position)

    def word_before(self, position: int) -> tuple[str, str]:
        """The word that ends at `position` without opening brackets, and the one before it.

        The second is empty at the start of a sentence and where a bracket opens between the two.
        """
        words = self.text[max(self.start, position - 2 * _WORD_REACH) : position].rsplit(maxsplit=2)
        if not words:
            return "", ""
        last = words[-1].lstrip(_OPENERS)
        return last, words[-2] if len(words) > 1 and last == words[-1] else ""

    def _closes_soon(self, position: int) -> bool:
        reach = position + _BRACKET_REACH
        closing = self.text.find(")", position, reach)
        return closing >= 0 and self.text.find("(", position, closing) < 0


def sentence_ends(text: str) -> list[int]:
    """The offsets at which the sentences of a text end, ascending; the last one may be before `len(text)`.

    An offset stands after the closing marks of its sentence (`cells.)`) and before the blanks that follow. Paragraphs,
    which an empty line parts, are read one by one: a bracket that is open at the end of one closes in no other.
    """
    ends: list[int] = []
    start = 0
    for line in _EMPTY_LINE.finditer(text):
        ends.extend(start + end for end in _ends_of_paragraph(text[start : line.start()]))
        if not ends or ends[-1] < line.start():
            ends.append(line.start())
        start = line.end()
    ends.extend(start + end for end in _ends_of_paragraph(text[start:]))
    return ends


def _ends_of_paragraph(text: str) -> Iterator[int]:
    held = enclosed_pieces(text)
    sentence = _Sentence(text, held, 0, 0)
    for match in _CANDIDATE.finditer(text):
        end = _end_at(sentence, match)
        if end is not None:
            yield end
            sentence = _Sentence(text, held, max(end, match.end()), end)


def _end_at(sentence: _Sentence, match: re.Match[str]) -> int | None:
    if match["mark"]:
        return _end_at_mark(sentence, match)
    return match.end() if _is_remark(sentence, match.start()) else None


def _end_at_mark(sentence: _Sentence, match: re.Match[str]) -> int | None:
    gap_start = match.start("gap")
    if match.end() == len(sentence.text):
        return gap_start
    if match["gap"] or not match["mark"].isascii() or _is_cjk_at(sentence.text, match.end()):
        return gap_start if _ends_sentence(sentence, match) else None
    return _end_without_blank(sentence, match)


def _ends_sentence(sentence: _Sentence, match: re.Match[str]) -> bool:
    mark, text = match["mark"], sentence.text
    if sentence.held.holds(match.start("gap")) or (match["close"] and _GOES_ON.match(text, match.end())):
        return False
    if "。" in mark or "｡" in mark:
        return True
    is_before_cjk = _is_cjk_at(text, match.end())
    if "！" in mark or "？" in mark or (is_before_cjk and ("!" in mark or "?" in mark)):
        return not _is_bracketed_alone(text, match)
    if "．" in mark or is_before_cjk:
        return "…" not in mark and _stop_before_cjk(sentence, match)
    if mark[-1] == "." and not match["close"]:
        return _full_stop_ends(sentence, match.start(), match.end())
    if match["close"] == ")" and _is_namer(sentence, match.end("close")):
        return False
    return _starts_sentence(text, match.end()) and not sentence.is_inside_brackets(match.end("close"))


def _end_without_blank(sentence: _Sentence, match: re.Match[str]) -> int | None:
    """A full stop that touches the next word: only a citation mark, an unmistakable opening word, or a symbol behind
    Chinese text parts there."""
    text, at = sentence.text, match.start()
    if match["mark"] == "." and not match["close"] and at > sentence.start and _is_cjk_at(text, at - 1):
        is_item = _CHINESE_ITEM.fullmatch(text, sentence.start, at) is not None
        parts = not is_item and not sentence.held.holds(at + 1) and _GLUED_SYMBOL.match(text, at + 1)
        return at + 1 if parts else None
    if match["mark"] != "." or not _LOWER_WORD_END.search(text, max(0, match.start() - 3), match.start()):
        return None
    if citation := _CITATION.match(text, match.start() + 1):
        return citation.end()
    return match.start("gap") if _GLUED.match(text, match.end()) else None


def _stop_before_cjk(sentence: _Sentence, match: re.Match[str]) -> bool:
    """`.` or `．` among Chinese text: not in a decimal, after an item number or after a letter used as a label."""
    text, at = sentence.text, match.start()
    if not match["gap"] and text[match.end()].isdigit():
        return False
    previous = text[at - 1] if at > sentence.start else ""
    if previous.isdigit():
        return bool(_DECIMAL.search(text, max(sentence.start, at - _WORD_REACH), at))
    word, before = sentence.word_before(at)
    if not previous.isascii():
        return True
    if match["gap"] and is_unit(word, before):
        return False
    return len(_trailing_letters(word)) != 1 and not _is_never_last(word)


def _full_stop_ends(sentence: _Sentence, at: int, following: int) -> bool:
    """Whether the full stop at `at`, with a blank after it and the next word at `following`, ends the sentence."""
    text = sentence.text
    word, before = sentence.word_before(at)
    lowered = word.lower()
    if _is_never_last(word) or _is_item_number(sentence, at) or is_split_decimal(word, text, following=following):
        return False
    if not _starts_sentence(text, following):
        is_whole = _WORD_END.search(word) or is_letter_unit(word, before)
        return bool(is_whole and _SYMBOL_START.match(text, following)) and not sentence.is_inside_brackets(at)
    if (len(word) == 1 and word.isalpha()) or _INITIALS.fullmatch(word):
        return _is_end_after_letter(text, following, word=word, before=before)
    if lowered in SELDOM_LAST or _IN_BRACKETS.fullmatch(before):
        return _is_opening_word(text, following) or (before[-1:].isdigit() and lowered == "min")
    if lowered in NEVER_BEFORE_NUMBER and text[following].isdigit():
        return False
    return not sentence.is_inside_brackets(at)


def _is_end_after_letter(text: str, following: int, *, word: str, before: str) -> bool:
    """`hepatitis C. We`, `for 24 h. The` end a sentence; `E. Coli`, `G. W. Smith` do not."""
    if _is_opening_word(text, following):
        return True
    if is_letter_unit(word, before):
        return not _NEXT_INITIAL.match(text, following)
    if len(word) > 1 or text[following].isdigit() or _NEXT_INITIAL.match(text, following):
        return False
    if word.islower():
        return True
    return before.lower() not in PLACE_BEFORE_INITIAL and before[-1:].islower()


def _is_never_last(word: str) -> bool:
    """A word in capitals is a symbol (`MR`, `CF`), not the abbreviation that it looks like."""
    return word in RANKS or (word.lower() in NEVER_LAST and not (len(word) > 1 and word.isupper()))


def _is_namer(sentence: _Sentence, end: int) -> bool:
    """Whether a bracket that closes at `end` holds the first author of a name, and the second one follows."""
    text = sentence.text
    opening = text.rfind("(", max(sentence.start, end - _WORD_REACH), end)
    found = _NAMER.match(text, opening) if opening >= 0 else None
    return found is not None and found.end() == end and not _is_opening_word(text, end + 1)


def _is_item_number(sentence: _Sentence, at: int) -> bool:
    """`2. Methods`: the number belongs to the sentence that it opens."""
    return bool(_ENUMERATOR.fullmatch(sentence.text, sentence.start, at))


def _is_remark(sentence: _Sentence, at: int) -> bool:
    """The `]` of a translated title `[...]` or of `[see comments]`, both printed without a full stop by PubMed."""
    text = sentence.text
    opening = text.rfind("[", max(sentence.start, at - _BRACKET_REACH), at)
    if opening < 0 or not text[at + 1 :][:2].strip()[:1].isupper():
        return False
    return bool(_REMARK.match(text, opening)) or (opening == sentence.start and " " in text[opening:at])


def _is_bracketed_alone(text: str, match: re.Match[str]) -> bool:
    """`流感（？）病毒`: a mark alone in brackets comments on a word and ends nothing."""
    return match.start() > 0 and text[match.start() - 1] in _OPENERS and bool(match["close"])


def _starts_sentence(text: str, position: int) -> bool:
    """Whether a sentence may open here: a capital, a digit or a letter without case, maybe after brackets."""
    for character in text[position : position + 3]:
        if character not in _OPENERS:
            return character.isdigit() or (character.isalpha() and not character.islower())
    return False


def _is_opening_word(text: str, position: int) -> bool:
    word = _WORD.match(text, position)
    return word is not None and word[0][0].isupper() and word[0].lower() in OPENING_WORDS


def _is_cjk_at(text: str, position: int) -> bool:
    return bool(_IS_CJK.match(text, position))


def _trailing_letters(word: str) -> str:
    kept = len(word)
    while kept and word[kept - 1].isascii() and word[kept - 1].isalpha():
        kept -= 1
    return word[kept:]
