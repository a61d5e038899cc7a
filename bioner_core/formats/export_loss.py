"""What of a record of an XML export is in no field: text of elements that are neither read nor named as not read.

These forms have no document type that says which elements there are, and records of a title alone. So an unknown
element counts only where its text is as long as a sentence: a number, a name or a date more is no text that is lost.
"""

from collections.abc import Collection

from bioner_core.formats.lost_text import visible
from bioner_core.formats.xml_text import Element, all_text, local_name

SENTENCE = 40
"""Visible characters from which on the text of an unknown element counts as lost."""


def export_loss(record: Element, read: Collection[Element], unread: Collection[str]) -> int:
    """How many visible characters of a record are lost: those outside the elements that are read or named as unread."""
    lost = _direct_text(record)
    for element in record:
        lost += _lost_of(element, read, unread)
    return lost


def _lost_of(element: Element, read: Collection[Element], unread: Collection[str]) -> int:
    if element in read or local_name(element) in unread:
        return 0
    if _holds(element, read, unread):
        return export_loss(element, read, unread)
    found = visible(all_text(element))
    return found if found >= SENTENCE else 0


def _holds(element: Element, read: Collection[Element], unread: Collection[str]) -> bool:
    """Whether an element holds some that are read or named, and so is no field itself."""
    return any(one in read or local_name(one) in unread for one in element.iterdescendants())


def _direct_text(element: Element) -> int:
    return visible(element.text or "") + sum(visible(one.tail or "") for one in element)
