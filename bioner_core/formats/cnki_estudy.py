"""E-Study (知网研学) and 自定义 text exports of CNKI, `Key-中文: value`.

The Chinese half of a key varies with the type of record, so the English half counts.
"""

import re

from bioner_core.formats.export_record import FieldRoles
from bioner_core.formats.tagged import TaggedReader, tag_pattern

KEYS = (
    "Title", "Author", "Source", "Year", "PubTime", "Keyword", "Summary", "Period", "Roll", "Volume", "PageCount",
    "Page", "SrcDatabase", "Organ", "Link", "URL", "DOI", "ISSN", "CLC", "Fund", "FirstDuty", "Degree", "Teacher",
    "Meeting", "City", "Publisher", "Language", "Notes",
)  # fmt: skip
"""The English halves of all keys but that of the type of record."""


class CnkiEStudyReader(TaggedReader):
    """E-Study, whose records begin with `DataType:`, and 自定义 text, whose records begin with `SrcDatabase-来源库:`.

    自定义 holds the fields that its user chose; without `SrcDatabase` its records begin with `Title-题名:`.

    A key counts only with its Chinese half, so that no abstract's line is taken for one.
    """

    name = "cnki_estudy"
    source = "cnki"
    tag_line = re.compile(
        rf"(?P<tag>DataType(?=\s*[:：])|(?:{tag_pattern(KEYS)})(?=-[\u4e00-\u9fff]))"
        r"(?:-[\u4e00-\u9fff]{1,10})?\s*[:：](?P<value>.*)",
        re.DOTALL,
    )
    start_tags = frozenset({"DataType", "SrcDatabase", "Title"})
    roles = FieldRoles(
        title=("Title",),
        abstract=("Summary",),
        keywords=("Keyword",),
        journal=("Source", "Organ"),
        year=("Year", "PubTime"),
        doi=("DOI",),
        link=("Link", "URL"),
        classes=("CLC",),
    )
