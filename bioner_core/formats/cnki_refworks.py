"""RefWorks exports of CNKI: tags of two letters, the blank after them sometimes missing (`A1林行众`)."""

import re

from bioner_core.formats.export_record import FieldRoles
from bioner_core.formats.tagged import TaggedReader, tag_pattern

_TAGS = (
    "RT", "SR", "A1", "A2", "A3", "AD", "T1", "T2", "JF", "JO", "YR", "IS", "vo", "VO", "OP", "SP", "EP", "K1", "AB",
    "SN", "CN", "LA", "DS", "LK", "UL", "DO", "FD", "PB", "CL", "PP", "ID", "C1", "U4", "DB", "URL", "NO", "RD", "ED",
)  # fmt: skip


class CnkiRefWorksReader(TaggedReader):
    """RefWorks exports of CNKI. A tag counts when a blank, a character that is not ASCII or the line's end follows."""

    name = "cnki_refworks"
    source = "cnki"
    tag_line = re.compile(rf"(?P<tag>{tag_pattern(_TAGS)})(?=\s|[^\x00-\x7f]|$)(?P<value>.*)", re.DOTALL)
    start_tags = frozenset({"RT"})
    roles = FieldRoles(
        title=("T1",),
        abstract=("AB",),
        keywords=("K1",),
        journal=("JF", "JO", "PB"),
        year=("YR", "FD"),
        doi=("DO",),
        link=("LK", "UL", "URL"),
    )
