"""Sizes of memory as people write them: `2GB`, `512MB`."""

import re

from bioner_core.errors import ConfigurationError

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def bytes_of(text: str, *, option: str, least: int = 0) -> int:
    """The bytes that a size names; `GB` and `GiB` both count 1024 to a step.

    Raises:
        ConfigurationError: the text is no size, or one below `least`; the message names `option`.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ConfigurationError(f"{option}: {text!r} is no size; write 2GB or 512MB")
    number = int(float(found[1]) * 1024 ** _POWERS[found[2].lower()])
    if number < least:
        raise ConfigurationError(f"{option}: {text} is too little; give {least // 1024**2}MB or more")
    return number
