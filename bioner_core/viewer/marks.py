"""Pieces of a passage as nested `<mark>` elements, for a page and for a notebook; what is said of a mention in words.

A fragment is for a notebook: no script, no style sheet, no page around it. Notebooks clean what they show of strangers:
scripts and style sheets go, styles of elements stay. Their background is the theme's, which no media query knows: so
letters have the theme's colour, and lines one that shows on any.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from html import escape

from bioner_core.export.provenance import Tally, xml_characters
from bioner_core.mentions import Mention
from bioner_core.viewer.colours import COLOURS, NOTEBOOK_COLOURS, style_number
from bioner_core.viewer.stack import Piece, stacked

_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Marks without an end (U+200E, U+200F, U+061C) stay: right-to-left text needs them; they turn neighbours alone."""


def marked(content: Sequence[Piece | str], opening: Callable[[Piece], str]) -> Iterator[str]:
    """The markup of the content; `opening` gives the tag that opens a piece, with whatever stands before its text."""
    for one in content:
        if isinstance(one, str):
            yield as_text(one)
        else:
            yield opening(one)
            yield from marked(one.content, opening)
            yield "</mark>"


def as_text(text: str) -> str:
    """`held`, escaped: text of a page, or the value of an attribute."""
    return escape(held(text))


def spelled_out(text: str) -> str:
    """The text with each embedding, override and isolate of direction, and their ends, as `[U+202E]`.

    A page shows what is stored: an override in a title would reverse what stands beside it, so that an id or a number
    reads as another one.
    """
    return _TURNING.sub(lambda found: f"[U+{ord(found.group()):04X}]", text)


def held(text: str) -> str:
    """The text as markup can hold it, before it is escaped.

    A character that HTML cannot hold is U+FFFD, and one that turns the direction of the text is spelled out.
    """
    return spelled_out(xml_characters(text, Tally()))


_MARK = "color:inherit;background:none;border-radius:2px;-webkit-box-decoration-break:clone;box-decoration-break:clone"
_NAME = "font-size:.65em;vertical-align:super;line-height:0;margin-right:.2em;user-select:none;unicode-bidi:isolate"


def render_fragment(text: str, mentions: Sequence[Mention], *, lang: str) -> str:
    """The text with its accepted mentions as lines over it, outer ones above inner ones, each with its type's name.

    `lang` is the language of the text. All of the text is escaped; characters that turn its direction are spelled out.
    """
    shown = [one for one in mentions if one.accepted]
    stack = stacked(text, shown)
    body = "".join(marked(stack.content, lambda piece: _opening(piece, stack.levels[piece.mention.mention_id])))
    height = stack.height(shown, accepted=True)
    style = f"white-space:pre-wrap;overflow-wrap:anywhere;line-height:calc(1.6em + {5 * height}px)"
    return f'<div dir="auto" lang="{as_text(lang)}" style="{style}">{body}</div>'


def _opening(piece: Piece, level: int) -> str:
    mention = piece.mention
    number = style_number(mention.label_set, mention.type)
    line = f"{'3px solid' if number < COLOURS else '4px double'} {NOTEBOOK_COLOURS[number % COLOURS]}"
    style = f"{_MARK};border-top:{line};padding-top:{5 * (level - 1)}px"
    name = f'<small style="{_NAME}">{as_text(type_and_assertion(mention))}</small>' if piece.is_start else ""
    return f'<mark style="{style}" title="{as_text(about_mention(mention))}">{name}'


_ORIGINS = {
    "abbreviation": "short form that this text defines",
    "repeat": "found again elsewhere in this text",
}


def type_and_assertion(mention: Mention) -> str:
    """Its type, and what its sentence says of it unless that is nothing special: `Disease, negated`."""
    if mention.assertion in (None, "present"):
        return mention.type
    return f"{mention.type}, {mention.assertion}"


def about_mention(mention: Mention, *, inside: str = "", concept: str = "") -> str:
    """One line: type, concept, scores, offsets, what encloses it (`inside`), where it came from, the verdict."""
    parts = [
        f"{type_and_assertion(mention)} ({mention.label_set})",
        concept,
        f"selector {mention.selector_score:.2f}",
        f"tag {mention.tag_score:.2f}",
        f"{mention.start}-{mention.end}",
        f"inside “{inside}”" if inside else "",
        _ORIGINS.get(mention.origin or "", ""),
        "" if mention.accepted else "turned down",
    ]
    return " · ".join(part for part in parts if part)
