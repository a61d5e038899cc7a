"""RIS, as PubMed, Embase and reference managers write it: `TY  - ` to `ER  - `, tags of two characters."""

import re
from typing import ClassVar

from bioner_core.formats.export_record import FieldRoles, FieldValues
from bioner_core.formats.tagged import TaggedReader


class RisReader(TaggedReader):
    """Reads RIS: title, abstract and keywords. `ER` ends a record, and so does the next `TY`."""

    name = "ris"
    source = "ris"
    tag_line = re.compile(r"(?P<tag>[A-Z][A-Z0-9]) {0,2}-(?=\s|$)(?P<value>.*)", re.DOTALL)
    start_tags = frozenset({"TY"})
    ignored_lines: ClassVar = re.compile(r"(?:Provider|Database|Content)\s*:.*")
    roles = FieldRoles(
        title=("TI", "T1", "CT", "BT", "TT"),
        abstract=("AB", "N2"),
        keywords=("KW",),
        journal=("JO", "JF", "T2", "JA", "J2"),
        year=("PY", "Y1", "DA"),
        doi=("DO", "M3", "UR", "L3"),
        link=("UR",),
        typography_codes=False,
    )

    def values(self, fields: FieldValues) -> FieldValues:
        """The fields; of several tags for the title or the abstract, which repeat each other, the first counts."""
        kept = dict(fields)
        for same in (("TI", "T1", "CT", "BT"), ("AB", "N2")):
            for spare in [tag for tag in same if tag in kept][1:]:
                if kept[spare] == kept[next(tag for tag in same if tag in kept)]:
                    del kept[spare]
        return kept
