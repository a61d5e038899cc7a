"""One style per type, the same on every page and in the terminal, whatever other types are shown beside it.

Types of the label sets that ship are numbered so that those of one label set differ, and types that share a tag, which
mean the same, share a style. Other types are numbered by their name; two of them may look alike, so that a page also
writes the name of a type beside its lines.
"""

from functools import cache
from zlib import crc32

from bioner_core.errors import ConfigurationError
from bioner_core.labels.label_set import EntityType, bundled_label_sets, load_label_set

COLOURS = 10
STYLES = 2 * COLOURS
"""Each colour has a plain and a double line."""

NOTEBOOK_COLOURS = (
    "#4a86e0",
    "#cc6d1f",
    "#21965b",
    "#dd4f95",
    "#9470da",
    "#12949f",
    "#ad8210",
    "#e0564a",
    "#768d0c",
    "#828c98",
)
"""The colours where nobody knows the background: three to one against white and a dark theme's grey."""

_FIRST = ("genia", "bc5cdr", "pubtator", "cmeee", "cmedqaner")
"""Label sets whose types keep their styles whatever label sets are added later."""


def style_number(label_set: str, type_name: str) -> int:
    """The style of a type, from 0 to below `STYLES`: its colour is this modulo `COLOURS`."""
    known = entity_type(label_set, type_name)
    if known is not None:
        return _numbers()[known.tag]
    return crc32(f"{label_set}\0{type_name}".encode()) % STYLES


def meaning_of(label_set: str, type_name: str) -> str:
    """What a type is called in both languages, such as `disease 疾病`; empty where its label set does not ship."""
    known = entity_type(label_set, type_name)
    return "" if known is None else " ".join(dict.fromkeys(name for name in (known.en, known.zh) if name))


def definition_of(label_set: str, type_name: str, *, lang: str) -> str:
    """How its label set defines a type, in `zh` or English; empty where its label set does not ship."""
    known = entity_type(label_set, type_name)
    if known is None:
        return ""
    return (known.definition_zh if lang == "zh" else "") or known.definition_en or known.definition_zh


def entity_type(label_set: str, type_name: str) -> EntityType | None:
    """A type of a label set that ships, None for others."""
    try:
        types = load_label_set(label_set).types if label_set in bundled_label_sets() else ()
    except ConfigurationError:
        return None
    return next((one for one in types if one.name == type_name), None)


@cache
def _numbers() -> dict[str, int]:
    """The style of each tag: the first that no other tag of its label sets has."""
    names = dict.fromkeys((*_FIRST, *sorted(bundled_label_sets())))
    tags = [[one.tag for one in load_label_set(name).types] for name in names]
    found: dict[str, int] = {}
    for own in tags:
        for tag in own:
            if tag not in found:
                beside = {other for some in tags if tag in some for other in some}
                taken = {found[other] for other in beside if other in found}
                found[tag] = next((number for number in range(STYLES) if number not in taken), len(found) % STYLES)
    return found
