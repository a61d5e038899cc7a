"""CNKI records that CiteSpace has turned into the tagged text of Web of Science: `PT`, two-letter tags, `ER`."""

import re
from typing import ClassVar

from bioner_core.formats.encoding import decode_head
from bioner_core.formats.export_record import FieldRoles
from bioner_core.formats.tagged import TaggedReader, tag_pattern

_TAGS = (
    "PT", "AU", "AF", "BA", "BF", "CA", "GP", "BE", "TI", "SO", "SE", "BS", "LA", "DT", "CT", "CY", "CL", "SP", "HO",
    "DE", "ID", "AB", "C1", "C3", "RP", "EM", "RI", "OI", "FU", "FX", "CR", "NR", "TC", "Z9", "U1", "U2", "PU", "PI",
    "PA", "SN", "EI", "BN", "J9", "JI", "PD", "PY", "VL", "IS", "PN", "SU", "SI", "MA", "BP", "EP", "AR", "DI", "D2",
    "EA", "PG", "P2", "WC", "WE", "SC", "GA", "UT", "PM", "OA", "HC", "HP", "DA", "ER", "EF",
)  # fmt: skip


class CnkiCiteSpaceReader(TaggedReader):
    """Tagged text of Web of Science that says somewhere in its first 64 KiB that it comes from CNKI (`UT CNKI:…`).

    An indented line goes on with its field, as Web of Science has it. Exports of Web of Science itself are not read:
    they would be filed under the wrong source.
    """

    name = "cnki_citespace"
    source = "cnki"
    tag_line = re.compile(rf"(?P<tag>{tag_pattern(_TAGS)})(?=\s|$)(?P<value>.*)", re.DOTALL)
    start_tags = frozenset({"PT"})
    roles = FieldRoles(
        title=("TI",),
        abstract=("AB",),
        keywords=("DE", "ID"),
        journal=("SO",),
        year=("PY",),
        doi=("DI",),
    )
    ignored_lines: ClassVar = re.compile(r"(?:FN|VR) .*")
    indented_lines_continue = True

    def recognises(self, head: bytes) -> bool:
        """Whether a record begins at once, and CNKI is named as the place where one comes from."""
        return super().recognises(head) and re.search(r"^(?:UT|DS) CNKI", decode_head(head), re.MULTILINE) is not None
