"""The typography codes of CNKI: `~` raises what follows, `_` lowers it; one character bare, more in parentheses.

`CD4~+`, `Ca~(2+)`, `χ~2=9.9`, `~([1-3])`, `H_3PO_4`, `IC_(50)`. Only the codes are taken out, as the markup of PubMed
is (`CD4+`, `Ca2+`), and each is kept with its place, so that the source can be restored to the letter. `~` is also how
Chinese writes a range (`18~65岁`), and `_` stands in names, so a code counts only where its surroundings allow no other
reading; what is left over stays as it is.
"""

import re
from collections.abc import Iterable

_RAISED_GROUP = r"(?<=\S)~\((?P<raised>[^\s()~_][^()~_\n]{0,15})\)"
_LOWERED_GROUP = r"(?<=[A-Za-z0-9\u0370-\u03ff)\]])_\((?P<lowered>[^\s()~_\u4e00-\u9fff][^()~_\u4e00-\u9fff\n]{0,15})\)"
_BARE = (
    r"(?<=[A-Za-z0-9)\]])~(?=[+\-\u2013\u2212*#](?![0-9]))",
    # A digit is raised after a letter; after a digit it ends a range, unless that is the 10 of a power.
    r"(?<=[A-Za-z\u0370-\u03ff])~(?=[0-9](?![0-9.]))",
    r"(?<=[\u00d7xX\u00b7]10)~(?=[0-9](?![0-9.]))",
    # Formulas; four small letters before it are a word, as in `sample_1`.
    r"(?<=[A-Za-z\u0370-\u03ff)\]])(?<![a-z]{4})_(?=[0-9](?![0-9]))",
    r"(?<=[A-Z])(?<![A-Za-z_][A-Z])_(?=[a-z](?![A-Za-z0-9_]))",
)
_CODE = re.compile("|".join((_RAISED_GROUP, _LOWERED_GROUP, *_BARE)))

PlacedCode = tuple[int, str]
"""A removed code and the offset in the text that is left, in code points, before which it stood."""


def without_codes(text: str) -> tuple[str, tuple[PlacedCode, ...]]:
    """The text as a reader of the article sees it, and what was taken out of it, in order."""
    if "~" not in text and "_" not in text:
        return text, ()
    kept: list[str] = []
    removed: list[PlacedCode] = []
    length = end = 0
    for match in _CODE.finditer(text):
        for start, stop in _code_spans(match):
            kept.append(text[end:start])
            length += start - end
            removed.append((length, text[start:stop]))
            end = stop
    return "".join((*kept, text[end:])), tuple(removed)


def with_codes(text: str, removed: Iterable[PlacedCode]) -> str:
    """The inverse of `without_codes`: the text as the export writes it."""
    pieces: list[str] = []
    end = 0
    for offset, code in removed:
        pieces += (text[end:offset], code)
        end = offset
    return "".join((*pieces, text[end:]))


def _code_spans(match: re.Match[str]) -> tuple[tuple[int, int], ...]:
    """Where the code characters of a match stand in its text; a group's content is no part of the code."""
    name = match.lastgroup or ""
    if name in ("raised", "lowered"):
        return (match.start(), match.start(name)), (match.end(name), match.end())
    return (match.span(),)
