"""A text with its mentions as a piece of markup for a notebook: no script, no style sheet, no page around it.

Notebooks clean what they show of strangers: scripts and style sheets go, styles of elements stay. Their background is
the theme's, which no media query knows: so letters have the theme's colour, and lines one that shows on any.
"""

from collections.abc import Sequence

from bioner_core.mentions import Mention
from bioner_core.viewer.colours import COLOURS, NOTEBOOK_COLOURS, style_number
from bioner_core.viewer.marks import as_text, marked
from bioner_core.viewer.stack import Piece, stacked
from bioner_core.viewer.words import about_mention, type_and_assertion

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
