"""Characters that a format cannot hold: each is replaced by exactly one other, so that no offset moves."""

import re

from bioner_core.export.provenance import Tally

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BREAKS = re.compile("[\t\n\r\x0b\x0c\x1c-\x1f\x85\u2028\u2029]")


def xml_characters(text: str, tally: Tally) -> str:
    """The text with U+FFFD in place of each character that XML 1.0 forbids (its section 2.2)."""
    found, times = _NO_XML.subn("\ufffd", text)
    tally.replaced_characters += times
    return found


def one_line(text: str, tally: Tally) -> str:
    """The text with a blank in place of each tab and each character that some reader takes for the end of a line."""
    found, times = _BREAKS.subn(" ", text)
    tally.replaced_characters += times
    return found
