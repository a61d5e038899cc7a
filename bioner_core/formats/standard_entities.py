"""The characters of the standard entity sets that document types name: a fixed table, no document type is loaded.

The ISO sets of JATS, NLM and MathML are in the table of HTML 5 but for a few Greek and Cyrillic names, added here.
"""

from html.entities import html5

from lxml import etree

from bioner_core.formats.xml_text import Element

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
