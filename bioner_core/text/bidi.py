"""Characters that turn the direction of the text around them, spelled out: a page shows what is stored.

An override in a title would reverse what stands beside it on a page, so that an id or a number reads as another one.
Marks without an end (U+200E, U+200F, U+061C) stay: right-to-left text needs them, and they turn nothing but their
neighbours.
"""

import re

_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def spelled_out(text: str) -> str:
    """The text with each embedding, override, isolate and their ends as `[U+202E]`."""
    return _TURNING.sub(lambda found: f"[U+{ord(found.group()):04X}]", text)
