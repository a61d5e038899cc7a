"""The passages of a JATS article: what a reader of the page sees, in the order of the file.

Each paragraph, heading, caption and table is a passage. A figure or table inside a paragraph cuts it: its passages
stand between the two halves; a footnote inside a sentence comes behind its paragraph. Runs of blanks and line breaks,
which only lay out the file, are one blank.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bioner_core.documents import Passage
from bioner_core.formats.jats_text import TABLE_CELLS, TABLE_ROWS, Aside, Inline, pieces_of
from bioner_core.formats.languages import detect_language, stated_language
from bioner_core.formats.xml_text import Element, child, children, local_name, path, require_resolved, unresolved_below

_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_BLANKS = re.compile(r"[ \t\r\n]+")
_LABELLED = frozenset(
    {
        "fig", "fig-group", "table-wrap", "table-wrap-group", "supplementary-material", "media", "boxed-text", "app",
        "statement", "sec",
    }
)  # fmt: skip
_TABLES = frozenset({"table", "tgroup", "array"})
_NESTED_TABLES = ("{*}table", "{*}entrytbl")
_SECTIONS = {
    "caption": "caption",
    "fn": "footnote",
    "table-wrap-foot": "footnote",
    "index-term": "index_term",
    "rt": "ruby",
}
"""The section of what stands in an element, where the element alone decides it."""
_FLOATS = ("{*}floats-group", "{*}floats-wrap")
_READ_ELSEWHERE = frozenset({"journal-meta", "article-meta"})
_ABSTRACTS = ("abstract", "other_abstract")
_OTHER_ABSTRACTS = frozenset(
    {"graphical", "author-highlights", "editor-highlights", "teaser", "toc", "plain-language-summary", "web-summary"}
)
_STRAY = ("{*}sec", "{*}p", "{*}table-wrap", "{*}fig")
_TRANSLATED_TITLES = ("{*}trans-title", "{*}trans-subtitle")
_ROW_END = "\n"
_CELL_END = "\t"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the article a text stands: the section and label of its passage, and its language.

    `checked` says that the article has no reference to an unknown entity, so that its texts need not be looked through.
    """

    section: str
    label: str
    lang: str
    checked: bool = True


def language_of(element: Element, sample: str) -> str:
    """The two-letter language that an element states, or one around it, else Chinese or English by a sample."""
    stated = (_stated(node) for node in (element, *element.iterancestors()))
    return next(filter(None, stated), "") or detect_language(sample)


def jats_passages(element: Element) -> Iterator[Passage]:
    """Title, abstracts, body, back matter and floating figures of an article or of a part of one, its parts left out.

    Raises:
        UnresolvedEntityError: a text holds an entity that is not declared.
    """
    whole = path(element, "{*}front", "{*}article-meta")
    meta = whole if whole is not None else child(element, "{*}front-stub")
    titles = child(meta, "{*}title-group")
    body = child(element, "{*}body")
    lang = language_of(element, _line(child(titles, "{*}article-title")) or _line(body))
    place = _Place("body", "", lang, checked=not unresolved_below(element))
    yield from _front(meta, titles, place)
    for notes in children(child(element, "{*}front"), "*"):
        if local_name(notes) not in _READ_ELSEWHERE:
            yield from _block(notes, replace(place, section="notes"))
    for part in children(element, "{*}body"):
        yield from _block(part, place)
    for part in children(element, "{*}back"):
        yield from _block(part, replace(place, section="back"))
    # Fragments of articles have tables and figures without a body.
    for part in element.iterchildren(*_FLOATS, *_STRAY):
        yield from _block(part, place)


def _front(meta: Element | None, titles: Element | None, place: _Place) -> Iterator[Passage]:
    for title in () if titles is None else titles.iterchildren("{*}article-title", "{*}subtitle"):
        yield from _whole(title, replace(place, section="title"))
    for node in () if titles is None else titles.iterchildren("{*}trans-title-group", *_TRANSLATED_TITLES):
        for title in node.iterchildren(*_TRANSLATED_TITLES) if local_name(node) == "trans-title-group" else (node,):
            foreign = _stated(title) or _stated(node) or detect_language(_line(title))
            yield from _whole(title, replace(place, section="vernacular_title", lang=foreign))
    for notes in children(titles, "{*}fn-group"):
        yield from _block(notes, replace(place, section="footnote"))
    for abstract in children(meta, "{*}abstract"):
        other = abstract.get("abstract-type") in _OTHER_ABSTRACTS
        own = _stated(abstract) or place.lang
        yield from _abstract(abstract, replace(place, section=_ABSTRACTS[other], lang=own))
    for abstract in children(meta, "{*}trans-abstract"):
        foreign = _stated(abstract) or detect_language(_line(abstract))
        yield from _abstract(abstract, replace(place, section="other_abstract", lang=foreign))


def _abstract(abstract: Element, place: _Place) -> Iterator[Passage]:
    """An abstract; its own heading is the label of its texts, unless it says no more than that it is one."""
    heading = _line(child(abstract, "{*}title"))
    return _mixed(abstract, replace(place, label="" if heading.casefold() == "abstract" else heading))


def _stated(element: Element) -> str:
    return stated_language(element.get(_LANGUAGE, ""))


def _block(element: Element, place: _Place) -> Iterator[Passage]:
    """The passages of one element that stands by itself."""
    name = local_name(element)
    if name in _LABELLED:
        place = replace(place, label=_line(child(element, "{*}label")) or place.label)
    if language := _stated(element):
        place = replace(place, lang=language)
    if name in _TABLES:
        yield from _table(element, place)
    elif name in _SECTIONS:
        read = _section if name != "caption" and child(element, "{*}title") is not None else _mixed
        yield from read(element, replace(place, section=_SECTIONS[name]))
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


def _mixed(element: Element, place: _Place) -> Iterator[Passage]:
    """Text up to the first block, the block, text up to the next one, and so on; a heading is not text."""
    if not place.checked:
        require_resolved(element)
    heading = None if local_name(element) == "caption" else child(element, "{*}title")
    text: list[str] = []
    beside: list[Element] = []
    for piece in pieces_of(element):
        if isinstance(piece, Inline):
            text.append(piece.text)
        elif isinstance(piece, Aside):
            beside.append(piece.element)
        else:
            yield from _run(text, beside, place)
            text, beside = [], []
            if piece is not heading:
                yield from _block(piece, place)
    yield from _run(text, beside, place)


def _run(text: list[str], beside: list[Element], place: _Place) -> Iterator[Passage]:
    """A run of text, and behind it what stands beside it."""
    yield from _passage(_joined(text), place)
    for aside in beside:
        yield from _block(aside, place)


def _table(table: Element, place: _Place) -> Iterator[Passage]:
    """Tabs between the cells of a table and line ends between its rows; its own caption before, its notes behind."""
    place = replace(place, section="table")
    rows = list(_own_rows(table))
    if not rows:
        yield from _mixed(table, place)
        return
    for caption in table.iterchildren("{*}caption", "{*}title"):
        yield from _whole(caption, replace(place, section="caption"))
    beside: list[Element] = []
    lines = [_CELL_END.join(_cell(cell, beside) for cell in row.iterchildren(*TABLE_CELLS)) for row in rows]
    yield from _passage(_ROW_END.join(line for line in lines if line.strip()), place)
    for part in table.iterchildren("{*}attrib"):
        yield from _block(part, place)
    for aside in beside:
        yield from _block(aside, place)


def _own_rows(table: Element) -> Iterator[Element]:
    """The rows of a table without those of tables in its cells."""
    rows = table.iter(*TABLE_ROWS)
    if next(table.iterdescendants(*_NESTED_TABLES), None) is None:
        yield from rows
        return
    for row in rows:
        if next(row.iterancestors("{*}table", "{*}entrytbl", "{*}tgroup", "{*}array"), None) in (table, *table):
            yield row


def _cell(cell: Element, beside: list[Element]) -> str:
    if len(cell):
        return _line_and_asides(cell, beside)
    return _BLANKS.sub(" ", cell.text or "").strip(" ")


def _whole(element: Element | None, place: _Place) -> Iterator[Passage]:
    """An element as one passage, whatever stands in it; footnotes in it come behind it."""
    if element is None:
        return
    if not place.checked:
        require_resolved(element)
    beside: list[Element] = []
    if language := _stated(element):
        place = replace(place, lang=language)
    yield from _passage(_line_and_asides(element, beside), place)
    for aside in beside:
        yield from _block(aside, place)


def _line(element: Element | None) -> str:
    """All text below an element in one line."""
    return "" if element is None else _line_and_asides(element, [])


def _line_and_asides(element: Element, beside: list[Element]) -> str:
    text: list[str] = []
    for piece in pieces_of(element, cut_at_blocks=False):
        if isinstance(piece, Inline):
            text.append(piece.text)
        elif isinstance(piece, Aside):
            beside.append(piece.element)
    return _joined(text)


def _joined(text: list[str]) -> str:
    return _BLANKS.sub(" ", "".join(text)).strip(" ")


def _passage(text: str, place: _Place) -> Iterator[Passage]:
    if text.strip():
        # Journals state English for Chinese articles; an article in English may quote whole paragraphs in Chinese.
        lang = detect_language(text) if place.lang == "en" else place.lang
        yield Passage(place.section, place.label, lang, text)
