"""EndNote (Refer) exports of CNKI: `%`, one character and a blank."""

import re

from bioner_core.formats.export_record import FieldRoles
from bioner_core.formats.tagged import TaggedReader

# The custom fields %1 to %5 are in no export, but a line of an abstract may begin with a percentage.
_TAG_CHARACTERS = r"06-9A-Z@?!+~$&\])(<>#*^\["


class CnkiEndNoteReader(TaggedReader):
    """EndNote exports of CNKI. A tag counts when a blank or the line's end follows."""

    name = "cnki_endnote"
    source = "cnki"
    tag_line = re.compile(rf"(?P<tag>%[{_TAG_CHARACTERS}])(?=\s|$)(?P<value>.*)", re.DOTALL)
    start_tags = frozenset({"%0"})
    roles = FieldRoles(
        title=("%T",),
        abstract=("%X",),
        keywords=("%K",),
        journal=("%J", "%B", "%I"),
        year=("%D", "%8"),
        doi=("%R",),
        link=("%U",),
    )
