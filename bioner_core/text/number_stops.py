"""Full stops beside numbers and units: of a decimal, of a unit that is written as an abbreviation, or of a sentence."""

import re

_LETTER_UNITS = frozenset("CFKLMNVWJ")
_YEAR = re.compile(r"(?:1[89]|20)\d\d$")
_UNIT = re.compile(r"(?P<number>\d?)(?:[kmµμn]?[gm]|[mµμd]?[lL]|cm|min|h|s|d|IU|U|mmol|kcal|mmHg|mSv|[cmk]?Gy)$")
_NUMBER = re.compile(r"(?<![A-Za-z0-9.．-])\d{1,4}$")
_DECIMALS = re.compile(
    r"\d{1,2}\s?(?:degrees?\b|[°º℃％%]|(?:[kmµμn]g|[mµμ][lL]|[cmµμn]m|mmol|[mµμn]M|kDa|kb|bp|fold)\b)"
)


def is_letter_unit(word: str, before: str) -> bool:
    """Whether a word is a unit of one letter behind its number (`-80 C`), and not an initial behind a year."""
    return word in _LETTER_UNITS and before[-1:].isdigit() and not _YEAR.search(before)


def is_unit(word: str, before: str) -> bool:
    """Whether a word is a unit with its number in it or before it: `5ml`, `100 mg`."""
    found = _UNIT.search(word)
    if found is None or (found["number"] == "" and found.start()):
        return False
    return (found["number"] or before)[-1:].isdigit()


def is_split_decimal(word: str, text: str, following: int) -> bool:
    """Whether a blank has slipped into a decimal: `37. 5 degrees`, `P < 0. 05`.

    `word` ends at its point; `following` is where the text goes on. Only a zero, or digits with a unit behind them, are
    taken for one: a sentence may end with a number, and the next one begin with a number.
    """
    number = _NUMBER.search(word)
    if number is None or not text[following].isdigit():
        return False
    return number[0] == "0" or _DECIMALS.match(text, following) is not None
