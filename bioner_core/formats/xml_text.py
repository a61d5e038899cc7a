"""Children and texts of XML elements, for readers that know exactly which path they want."""

from collections.abc import Iterable

from lxml import etree

from bioner_core.formats.lost_text import visible

Element = etree._Element


class UnresolvedEntity(Exception):
    """A text holds an entity reference that its file does not declare: its character is unknown."""


def local_name(element: Element) -> str:
    """The tag without its namespace; empty for what is no element (an entity reference)."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def child(element: Element | None, tag: str) -> Element | None:
    """The first child of a tag."""
    return None if element is None else next(element.iterchildren(tag), None)


def children(element: Element | None, tag: str) -> Iterable[Element]:
    """All children of a tag; none where there is no element."""
    return () if element is None else element.iterchildren(tag)


def path(element: Element | None, *tags: str) -> Element | None:
    """The first child of the first child, and so on."""
    for tag in tags:
        element = child(element, tag)
    return element


def text_of(element: Element | None) -> str:
    """All text below an element, markup removed, ends stripped and otherwise unchanged."""
    if element is None:
        return ""
    return (all_text(element) if len(element) else element.text or "").strip()


def all_text(element: Element) -> str:
    """All text below an element to the letter, markup removed."""
    # A third of what joining `itertext` costs.
    return etree.tostring(element, method="text", encoding="unicode", with_tail=False)


def text_below(elements: Iterable[Element]) -> int:
    """How many visible characters some elements hold."""
    return sum(visible(all_text(element)) for element in elements)


def unresolved_below(element: Element) -> bool:
    """Whether an entity reference is left anywhere below an element."""
    return next(element.iter(etree.Entity), None) is not None


def require_resolved(element: Element) -> None:
    """Refuse an element below which an entity reference is left.

    Raises:
        UnresolvedEntity: the first one that there is.
    """
    for entity in element.iter(etree.Entity):
        raise UnresolvedEntity(ascii(entity.text))
