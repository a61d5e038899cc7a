"""The text of JATS mixed content, cut where a figure, a table or another block interrupts it.

Formulas are text: MathML's own characters, or else TeX without its preamble. What no reader sees has none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from bioner_core.formats.xml_text import Element, all_text, child, local_name

BLOCKS = frozenset(
    {
        "sec", "p", "title", "fig", "fig-group", "table-wrap", "table-wrap-group", "table", "table-wrap-foot",
        "caption", "list", "list-item", "def-list", "def-item", "def", "term", "boxed-text", "disp-quote", "fn-group",
        "fn", "ack", "notes", "glossary", "app-group", "app", "supplementary-material", "media", "statement",
        "verse-group", "verse-line", "preformat", "disp-formula-group", "array", "speech", "bio", "attrib",
    }
)  # fmt: skip
"""Elements that stand by themselves, wherever they are."""

UNREAD = frozenset(
    {
        "label", "object-id", "alt-text", "long-desc", "graphic", "inline-graphic", "permissions", "ref-list", "ref",
        "sub-article", "response", "processing-meta", "sec-meta", "front", "front-stub", "annotation",
        "annotation-xml", "floats-group", "inline-supplementary-material", "milestone-start", "milestone-end",
    }
)  # fmt: skip
"""Elements without text of their own: names and labels of other things, pictures, references, other documents."""

_SPACED = frozenset({"disp-formula", "break"})
_FORMULAS = frozenset({"alternatives", "tex-math"})
_SPECIAL_TAGS = tuple(f"{{*}}{name}" for name in sorted(BLOCKS | UNREAD | _SPACED | _FORMULAS))
_TEX_BODY = re.compile(r"\\begin\{document\}(.*?)\\end\{document\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Inline:
    """A run of text that belongs to the element around it."""

    text: str


def pieces_of(element: Element, *, cut_at_blocks: bool = True) -> Iterator[Inline | Element]:
    """The text of an element in order, and the blocks in it, whose text is theirs.

    With `cut_at_blocks` false there are only runs of text: that of blocks too, blanks around it.
    """
    if next(element.iterdescendants(*_SPECIAL_TAGS), None) is None:
        yield Inline(all_text(element))
        return
    walk = etree.iterwalk(element, events=("start", "end"))
    for event, node in walk:
        if event == "end":
            yield from _after(node, element)
        elif node is element or not _is_special(node):
            yield Inline(node.text or "")
        elif (block := _block_of(node)) is not None and cut_at_blocks:
            walk.skip_subtree()
            yield block
        elif local_name(node) in BLOCKS or local_name(node) in _SPACED:
            yield Inline(" " + (node.text or ""))
        else:
            walk.skip_subtree()
            yield Inline(_formula(node))


def chosen_form(alternatives: Element) -> Element | None:
    """The one of several forms of the same thing that has the best text: a table, MathML, else the first."""
    for tag in ("{*}table", "{*}math", "{*}tex-math"):
        if (form := child(alternatives, tag)) is not None:
            return form
    return child(alternatives, "*")


def _block_of(node: Element) -> Element | None:
    """The block that an element is, or that it gives as the best of several forms of itself."""
    form = chosen_form(node) if local_name(node) == "alternatives" else node
    return form if form is not None and local_name(form) in BLOCKS else None


def _after(node: Element, whole: Element) -> Iterator[Inline]:
    """The text that follows an element inside the whole."""
    if node is not whole:
        spaced = local_name(node) in BLOCKS or local_name(node) in _SPACED
        yield Inline((" " if spaced else "") + (node.tail or ""))


def _is_special(node: Element) -> bool:
    name = local_name(node)
    return name in BLOCKS or name in UNREAD or name in _SPACED or name in _FORMULAS


def _formula(node: Element) -> str:
    """The text of a formula, or of nothing."""
    form = chosen_form(node) if local_name(node) == "alternatives" else node
    if form is None or local_name(form) in UNREAD:
        return ""
    text = "".join(piece.text for piece in pieces_of(form, cut_at_blocks=False) if isinstance(piece, Inline))
    if local_name(form) != "tex-math":
        return text
    body = _TEX_BODY.search(text)
    return body.group(1) if body else text
