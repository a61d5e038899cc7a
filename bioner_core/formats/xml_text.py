"""Children and texts of XML elements, for readers that know exactly which path they want; entities in their places.

The characters of the standard entity sets that document types name are a fixed table: no document type is loaded. The
ISO sets of JATS, NLM and MathML are in the table of HTML 5 but for a few Greek and Cyrillic names, added here.
"""

from collections.abc import Iterable
from html.entities import html5

from lxml import etree

from bioner_core.errors import BionerError
from bioner_core.formats.contract import visible_count

Element = etree._Element


class UnresolvedEntityError(BionerError):
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
    return sum(visible_count(all_text(element)) for element in elements)


def unresolved_below(element: Element) -> bool:
    """Whether an entity reference is left anywhere below an element."""
    return next(element.iter(etree.Entity), None) is not None


def require_resolved(element: Element) -> None:
    """Refuse an element below which an entity reference is left.

    Raises:
        UnresolvedEntityError: the first one that there is.
    """
    for entity in element.iter(etree.Entity):
        raise UnresolvedEntityError(ascii(entity.text))


# ISOgrk1: the letters of Greek text, small and capital.
_LETTERS = "a b g d e z ee th i k l m n x o p r s t u ph kh ps oh"
_GREEK = {f"{name}gr": letter for name, letter in zip(_LETTERS.split(), "αβγδεζηθικλμνξοπρστυφχψω", strict=True)}
_CAPITALS = {f"{name[:-2].upper()}gr": letter.upper() for name, letter in _GREEK.items()}
# ISOgrk2, and names of the older sets that HTML never took over.
_OTHERS = {
    "sfgr": "ς", "aacgr": "ά", "eacgr": "έ", "eeacgr": "ή", "iacgr": "ί", "oacgr": "ό", "uacgr": "ύ", "ohacgr": "ώ",
    "idigr": "ϊ", "udigr": "ϋ", "idiagr": "ΐ", "udiagr": "ΰ", "Aacgr": "Ά", "Eacgr": "Έ", "EEacgr": "Ή", "Iacgr": "Ί",
    "Oacgr": "Ό", "Uacgr": "Ύ", "OHacgr": "Ώ", "Idigr": "Ϊ", "Udigr": "Ϋ",
    "bernou": "ℬ", "hamilt": "ℋ", "lagran": "ℒ", "phmmat": "ℳ", "tprime": "‴", "wedgeq": "≙", "ell": "ℓ",
    "fflig": "ff", "filig": "fi", "fllig": "fl", "ffilig": "ffi", "ffllig": "ffl", "hairsp": "\u200a",
}  # fmt: skip

CHARACTERS: dict[str, str] = {
    **{name.removesuffix(";"): text for name, text in html5.items() if name.endswith(";")},
    **_GREEK,
    **_CAPITALS,
    **_OTHERS,
}
"""The text of each entity by its name; names of the sets tell capital from small letters."""


def resolve_entities(element: Element) -> bool:
    """Put the characters of standard entities in their places below an element; others stay as they are.

    Whether there was any entity.
    """
    found = list(element.iter(etree.Entity))
    for entity in found:
        text = CHARACTERS.get(str(entity.text)[1:-1])
        parent = entity.getparent()
        if text is not None and parent is not None:
            _replace(parent, entity, text + (entity.tail or ""))
    return bool(found)


def _replace(parent: Element, entity: Element, text: str) -> None:
    before = entity.getprevious()
    if before is None:
        parent.text = (parent.text or "") + text
    else:
        before.tail = (before.tail or "") + text
    # The tail has been taken over above; `remove` would keep it with the entity.
    parent.remove(entity)
