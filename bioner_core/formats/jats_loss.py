"""What of a JATS article is in no passage: its whole text, less what is named as not read, less its passages."""

from collections.abc import Iterator

from bioner_core.documents import Passage
from bioner_core.formats.contract import missing_count
from bioner_core.formats.jats_text import UNREAD, chosen_form, is_spare_form, tex_body
from bioner_core.formats.xml_text import Element, all_text, child, children, local_name

_META = """
    article-id article-version article-version-alternatives article-categories aff aff-alternatives author-notes
    conference contrib-group counts custom-meta-group custom-meta-wrap elocation-id email ext-link fpage funding-group
    contract-num contract-sponsor grant-num grant-sponsor history isbn issue issue-id issue-part issue-sponsor
    issue-title issue-title-group kwd-group lpage page-range permissions copyright-statement copyright-year license
    product pub-date pub-date-not-available pub-history related-article related-object self-uri season support-group
    supplement unstructured-kwd-group uri volume volume-id volume-issue-group volume-series edition publisher
"""
UNREAD_META = frozenset(_META.split())
"""Children of `article-meta` and `front-stub` that are not read as text; keywords, ids and dates are in `meta`."""

UNREAD_TITLES = frozenset({"alt-title"})
"""Children of `title-group` that are not read."""

_FORMS = ("{*}alternatives", "{*}tex-math")
_INNER = UNREAD - {"front", "front-stub"}
_INNER_TAGS = tuple(f"{{*}}{name}" for name in sorted(_INNER))
_ABSTRACTS = ("{*}abstract", "{*}trans-abstract")


def jats_loss(element: Element, passages: tuple[Passage, ...]) -> int:
    """How many visible characters of an article, or of a part of one, are in none of its passages."""
    return missing_count(all_text(element), _unread_texts(element), kept=(passage.text for passage in passages))


def _unread_texts(element: Element) -> Iterator[str]:
    """The texts of an article that are not read, each once."""
    whole = {*_unread_front(element), *_spare_forms(element)}
    for node in element.iterdescendants(*_INNER_TAGS):
        if not _is_below(node, element, whole):
            whole.add(node)
    for node in whole:
        yield all_text(node)
    for formula in element.iterdescendants("{*}tex-math"):
        if not _is_below(formula, element, whole):
            text = all_text(formula)
            yield text.replace(tex_body(text), "", 1)


def _is_below(node: Element, root: Element, whole: set[Element]) -> bool:
    """Whether an element is one of some others, or inside one, below a root."""
    while node is not root and node not in whole:
        parent = node.getparent()
        if parent is None:
            return False
        node = parent
    return node is not root


def _unread_front(element: Element) -> Iterator[Element]:
    front = child(element, "{*}front")
    yield from children(front, "{*}journal-meta")
    whole = child(front, "{*}article-meta")
    meta = whole if whole is not None else child(element, "{*}front-stub")
    for node in children(meta, "*"):
        if local_name(node) in UNREAD_META:
            yield node
    for node in children(child(meta, "{*}title-group"), "*"):
        if local_name(node) in UNREAD_TITLES:
            yield node
    for abstract in () if meta is None else meta.iterchildren(*_ABSTRACTS):
        for title in abstract.iterdescendants("{*}title"):
            parent = title.getparent()
            if parent is not None and local_name(parent) != "caption":
                yield title


def _spare_forms(element: Element) -> Iterator[Element]:
    """The forms of formulas and tables beside the one that is read."""
    for node in element.iterdescendants(*_FORMS):
        if local_name(node) == "alternatives":
            chosen = chosen_form(node)
            yield from (form for form in node.iterchildren("*") if form is not chosen)
        elif is_spare_form(node):  # one among `alternatives` is named twice, which does no harm in a set
            yield node
