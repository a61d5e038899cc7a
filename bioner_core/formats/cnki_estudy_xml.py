"""E-Study (知网研学) XML of CNKI, `.eln`: one `<DATA>` a record.

Known from a public parser only, which also knows the defect of a document type on the last line but one.
"""

import re

from bioner_core.formats.cnki_estudy import KEYS, CnkiEStudyReader
from bioner_core.formats.export_xml import XmlExportReader

_DATA = re.compile(r"<DATA\b[^>]*>\s*<[A-Z][A-Za-z]*\b")


class CnkiEStudyXmlReader(XmlExportReader):
    """Children of `<DATA>` have the names that E-Study's text has before the dash, so the roles are the same."""

    name = "cnki_estudy_xml"
    source = "cnki"
    record_tag = "DATA"
    roles = CnkiEStudyReader.roles
    unread = frozenset({"DataType", *KEYS}) - {"Title", "Summary", "Keyword"}

    def is_form(self, head: str) -> bool:
        """Whether there is a `<DATA>` with fields, and a field that E-Study has."""
        return _DATA.search(head) is not None and re.search(r"<(?:Title|SrcDatabase|Summary)\b", head) is not None
