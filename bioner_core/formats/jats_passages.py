"""The passages of a JATS article: what a reader of the page sees, in the order of the file.

Each paragraph, heading, caption and table is a passage. A figure or table inside a paragraph cuts it: its passages
stand between the two halves. Runs of blanks and line breaks, which only lay out the file, are one blank.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bioner_core.documents import Passage
from bioner_core.formats.jats_text import Inline, pieces_of
from bioner_core.formats.languages import detect_language
from bioner_core.formats.xml_text import Element, child, children, local_name, path, require_resolved

_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_BLANKS = re.compile(r"[ \t\r\n]+")
_LABELLED = frozenset({"fig", "table-wrap", "supplementary-material", "media", "boxed-text", "app"})
_ABSTRACTS = ("abstract", "other_abstract")
_OTHER_ABSTRACTS = frozenset(
    {"graphical", "author-highlights", "editor-highlights", "teaser", "toc", "plain-language-summary", "web-summary"}
)
_STRAY = ("{*}sec", "{*}p", "{*}table-wrap", "{*}fig")
_ROW_END = "\n"
_CELL_END = "\t"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the article a text stands: the section and label of its passage, and its language."""

    section: str
    label: str
    lang: str


def language_of(element: Element, sample: str) -> str:
    """The two-letter language that an element states for itself, else Chinese or English by a sample of its text."""
    return _stated(element) or detect_language(sample)


def jats_passages(element: Element) -> Iterator[Passage]:
    """Title, abstracts, body, back matter and floating figures of an article or of a part of one, its parts left out.

    Raises:
        UnresolvedEntity: a text holds an entity that is not declared.
    """
    whole = path(element, "{*}front", "{*}article-meta")
    meta = whole if whole is not None else child(element, "{*}front-stub")
    titles = child(meta, "{*}title-group")
    body = child(element, "{*}body")
    lang = language_of(element, _line(child(titles, "{*}article-title")) or _line(body))
    yield from _front(meta, titles, lang)
    yield from _mixed(body, _Place("body", "", lang))
    yield from _mixed(child(element, "{*}back"), _Place("back", "", lang))
    yield from _mixed(child(element, "{*}floats-group"), _Place("body", "", lang))
    # Fragments of articles have tables and figures without a body.
    for stray in element.iterchildren(*_STRAY):
        yield from _block(stray, _Place("body", "", lang))


def _front(meta: Element | None, titles: Element | None, lang: str) -> Iterator[Passage]:
    for name in ("article-title", "subtitle"):
        yield from _whole(child(titles, f"{{*}}{name}"), _Place("title", "", lang))
    for group in children(titles, "{*}trans-title-group"):
        foreign = _Place("vernacular_title", "", language_of(group, _line(group)))
        for title in group.iterchildren("{*}trans-title", "{*}trans-subtitle"):
            yield from _whole(title, foreign)
    for abstract in children(meta, "{*}abstract"):
        other = abstract.get("abstract-type") in _OTHER_ABSTRACTS
        yield from _abstract(abstract, _Place(_ABSTRACTS[other], "", _stated(abstract) or lang))
    for abstract in children(meta, "{*}trans-abstract"):
        yield from _abstract(abstract, _Place("other_abstract", "", language_of(abstract, _line(abstract))))


def _abstract(abstract: Element, place: _Place) -> Iterator[Passage]:
    """An abstract; its own heading is the label of its texts, unless it says no more than that it is one."""
    heading = _line(child(abstract, "{*}title"))
    return _mixed(abstract, replace(place, label="" if heading.casefold() == "abstract" else heading))


def _stated(element: Element) -> str:
    return element.get(_LANGUAGE, "").strip().lower().partition("-")[0]


def _block(element: Element, place: _Place) -> Iterator[Passage]:
    """The passages of one element that stands by itself."""
    name = local_name(element)
    if name in _LABELLED:
        place = replace(place, label=_line(child(element, "{*}label")) or place.label)
    if name == "table":
        yield from _passage(_rows(element), replace(place, section="table"))
    elif name == "caption":
        yield from _mixed(element, replace(place, section="caption"))
    elif name == "fn":
        yield from _mixed(element, replace(place, section="footnote"))
    elif name != "title" and child(element, "{*}title") is not None:
        yield from _section(element, place)
    else:
        yield from _mixed(element, place)


def _section(element: Element, place: _Place) -> Iterator[Passage]:
    """What has a heading: in an abstract the heading is the label of its texts, elsewhere a passage of its own too."""
    title = child(element, "{*}title")
    heading = _line(title)
    if heading and place.section not in _ABSTRACTS:
        number = _line(child(element, "{*}label"))
        yield from _whole(title, replace(place, section="heading", label=number))
    yield from _mixed(element, replace(place, label=heading or place.label))


def _mixed(element: Element | None, place: _Place) -> Iterator[Passage]:
    """Text up to the first block, the block, text up to the next one, and so on; a heading is not text."""
    if element is None:
        return
    require_resolved(element)
    heading = None if local_name(element) == "caption" else child(element, "{*}title")
    text: list[str] = []
    for piece in pieces_of(element):
        if isinstance(piece, Inline):
            text.append(piece.text)
            continue
        yield from _passage(_joined(text), place)
        text = []
        if piece is not heading:
            yield from _block(piece, place)
    yield from _passage(_joined(text), place)


def _rows(table: Element) -> str:
    """The cells of a table with tabs between them, its rows with line ends."""
    rows = (_CELL_END.join(map(_line, row.iterchildren("{*}td", "{*}th"))) for row in table.iter("{*}tr"))
    return _ROW_END.join(row for row in rows if row.strip())


def _whole(element: Element | None, place: _Place) -> Iterator[Passage]:
    """An element as one passage, whatever stands in it."""
    if element is not None:
        require_resolved(element)
        yield from _passage(_line(element), place)


def _line(element: Element | None) -> str:
    """All text below an element in one line."""
    if element is None:
        return ""
    pieces = pieces_of(element, cut_at_blocks=False)
    return _joined([piece.text for piece in pieces if isinstance(piece, Inline)])


def _joined(text: list[str]) -> str:
    return _BLANKS.sub(" ", "".join(text)).strip(" ")


def _passage(text: str, place: _Place) -> Iterator[Passage]:
    if text.strip():
        yield Passage(place.section, place.label, place.lang, text)
