"""The text of JATS mixed content, cut where a figure, a table or another block interrupts it.

Formulas are text: MathML's own characters, or else TeX without its preamble. What no reader sees has none. A footnote
or an index term inside a sentence stands beside it, not in it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from bioner_core.formats.mathml import ANNOTATIONS, math_text
from bioner_core.formats.xml_text import Element, all_text, child, local_name

BLOCKS = frozenset(
    {
        "sec", "p", "title", "fig", "fig-group", "table-wrap", "table-wrap-group", "table", "tgroup", "table-wrap-foot",
        "caption", "list", "list-item", "def-list", "def-item", "def", "term", "boxed-text", "disp-quote", "fn-group",
        "ack", "notes", "glossary", "app-group", "app", "supplementary-material", "media", "statement",
        "verse-group", "verse-line", "preformat", "disp-formula-group", "array", "speech", "bio", "attrib",
        "floats-group", "floats-wrap", "block-alternatives", "question", "answer", "explanation", "question-wrap",
        "term-head", "def-head", "chem-struct-wrap", "address", "code", "sig-block",
    }
)  # fmt: skip
"""Elements that stand by themselves, wherever they are."""

ASIDES = frozenset({"fn", "index-term", "rt"})
"""Elements whose text stands beside that around them: footnotes, terms for an index, readings of characters."""

UNREAD = frozenset(
    {
        "label", "object-id", "alt-text", "long-desc", "graphic", "inline-graphic", "permissions", "ref-list", "ref",
        "sub-article", "response", "processing-meta", "sec-meta", "front", "front-stub", *ANNOTATIONS,
        "milestone-start", "milestone-end", "rp",
    }
)  # fmt: skip
"""Elements without text of their own: names and labels of other things, pictures, references, other documents."""

TABLE_ROWS = ("{*}tr", "{*}row")
"""Rows of tables: of HTML, and of OASIS (CALS)."""

TABLE_CELLS = ("{*}td", "{*}th", "{*}entry", "{*}entrytbl")
"""Their cells."""

_SPACED = frozenset({"disp-formula", "break", "tr", "row", "td", "th", "entry", "entrytbl", "addr-line"})
_FORMULAS = frozenset({"alternatives", "tex-math", "math"})
_FORMS = ("{*}table", "{*}math", "{*}tex-math", "{*}textual-form")
_APART = BLOCKS | _SPACED
_SPECIAL = _APART | ASIDES | UNREAD | _FORMULAS
_SPECIAL_TAGS = tuple(f"{{*}}{name}" for name in sorted(_SPECIAL))
_TEX_BODY = re.compile(r"\\begin\{document\}(.*?)\\end\{document\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Inline:
    """A run of text that belongs to the element around it."""

    text: str


@dataclass(frozen=True, slots=True)
class Aside:
    """An element inside a run of text that is no part of it."""

    element: Element


def pieces_of(element: Element, *, cut_at_blocks: bool = True) -> Iterator[Inline | Aside | Element]:
    """The text of an element in order, the blocks in it, whose text is theirs, and what stands beside the text.

    With `cut_at_blocks` false there are only runs of text: that of blocks too, blanks around it.
    """
    # The first question spares most elements the second, which costs as much as reading one.
    if not len(element) or next(element.iterdescendants(*_SPECIAL_TAGS), None) is None:
        yield Inline(all_text(element))
        return
    walk = etree.iterwalk(element, events=("start", "end"))
    for event, node in walk:
        if event == "end":
            yield from _after(node, element)
        elif node is element or (name := local_name(node)) not in _SPECIAL:
            yield Inline(node.text or "")
        elif name in ASIDES:
            walk.skip_subtree()
            yield Aside(node)
        elif (block := _block_of(node)) is not None and cut_at_blocks:
            walk.skip_subtree()
            yield block
        elif name in _APART:
            yield Inline(" " + (node.text or ""))
        else:
            walk.skip_subtree()
            yield Inline(_formula(node))


def chosen_form(alternatives: Element) -> Element | None:
    """The one of several forms of the same thing that has the best text: a table, MathML, TeX, plain text, else any."""
    for tag in _FORMS:
        if (form := child(alternatives, tag)) is not None:
            return form
    forms = (form for form in alternatives.iterchildren("*") if local_name(form) not in UNREAD)
    return next(forms, None)


def is_spare_form(formula: Element) -> bool:
    """Whether TeX stands beside MathML of the same formula, which is read in its place."""
    parent = formula.getparent()
    return parent is not None and child(parent, "{*}math") is not None


def tex_body(text: str) -> str:
    """TeX without its preamble."""
    body = _TEX_BODY.search(text)
    return body.group(1) if body else text


def _block_of(node: Element) -> Element | None:
    """The block that an element is, or that it gives as the best of several forms of itself."""
    form = chosen_form(node) if local_name(node) == "alternatives" else node
    return form if form is not None and local_name(form) in BLOCKS else None


def _after(node: Element, whole: Element) -> Iterator[Inline]:
    """The text that follows an element inside the whole."""
    if node is not whole:
        spaced = local_name(node) in _APART
        yield Inline((" " if spaced else "") + (node.tail or ""))


def _formula(node: Element) -> str:
    """The text of a formula, or of nothing."""
    form = chosen_form(node) if local_name(node) == "alternatives" else node
    if form is None or local_name(form) in UNREAD:
        return ""
    if local_name(form) == "math":
        return math_text(form)
    if local_name(form) != "tex-math":
        return _plain(form)
    return "" if form is node and is_spare_form(form) else tex_body(_plain(form))


def _plain(element: Element) -> str:
    return "".join(piece.text for piece in pieces_of(element, cut_at_blocks=False) if isinstance(piece, Inline))
