"""MD5 companions of release files, in the three forms in which they occur."""

import hashlib
import re
from pathlib import Path

from bioner_core.errors import InputError

COMPANION = ".md5"

_FORMS = (
    re.compile(r"MD5 ?\((?P<name>[^)]+)\) ?= ?(?P<digest>[0-9a-fA-F]{32})"),
    re.compile(r"(?P<digest>[0-9a-fA-F]{32})(?:[ \t]+\*?(?P<name>\S+))?"),
)


def stated_md5(text: str, *, name: str) -> str:
    """The digest, in lower case, that a companion states: `MD5(name)= digest`, `digest  name`, or a bare digest.

    Raises:
        InputError: it states none, or one of another file than `name`.
    """
    for form in _FORMS:
        found = form.fullmatch(text.strip())
        if found:
            stated = (found["name"] or name).rpartition("/")[2]
            if stated != name:
                raise InputError(f"{name}{COMPANION}: is of another file, {stated!r}; nothing of {name} was applied")
            return found["digest"].lower()
    raise InputError(f"{name}{COMPANION}: holds no MD5 digest: {text[:60]!r}; nothing of {name} was applied")


def md5_of(path: Path) -> str:
    """The MD5 of a file, in lower-case hex.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
