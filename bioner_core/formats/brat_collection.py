"""How bioner names things in a brat collection, for what writes one and what reads it again."""

import re
from collections.abc import Iterable

CONFIGURATION_FILE = "annotation.conf"

TURNED_DOWN = "Turned_down"
"""The attribute of candidates that the selector turned down."""

_NO_TYPE = re.compile(r"[^A-Za-z0-9_-]")
_TYPE_NAME = re.compile(r"^# type (\S+) is (.+)$", re.MULTILINE)


def brat_type(name: str) -> str:
    """The name of a type as brat may have it: letters, digits, `_` and `-`."""
    if name.isascii():
        return _NO_TYPE.sub("_", name)
    # A name of Chinese characters would be nothing but `_`.
    return "".join(char if not _NO_TYPE.match(char) else f"u{ord(char):x}" for char in name)


def configuration(types: Iterable[str], *, facts: str = "") -> str:
    """`annotation.conf` for a collection with these types; what brat cannot call by their names is in comments."""
    names = sorted(set(types))
    entities = "".join(f"{name}\n" for name in sorted({brat_type(name) for name in names}))
    others = "".join(f"# type {brat_type(name)} is {name}\n" for name in names if brat_type(name) != name)
    return (
        f"{facts}{others}[entities]\n{entities}\n"
        "[relations]\n# mentions may lie inside each other\n"
        "<OVERLAP>\tArg1:<ENTITY>, Arg2:<ENTITY>, <OVL-TYPE>:<ANY>\n\n"
        f"[events]\n\n[attributes]\n{TURNED_DOWN}\tArg:<ENTITY>\n"
    )


def stated_names(text: str) -> dict[str, str]:
    """By brat's name of a type its own, as an `annotation.conf` of bioner's says it."""
    return {match[1]: match[2] for match in _TYPE_NAME.finditer(text)}
