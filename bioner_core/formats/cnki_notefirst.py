"""NoteFirst XML of CNKI: one `<Bibliography>` a record, its texts marked with their language.

Known from public parsers only; node names differ with the type of record, so a field is looked for at any depth.
"""

import re

from bioner_core.formats.export_record import FieldRoles, FieldValues
from bioner_core.formats.export_xml import XmlExportReader
from bioner_core.formats.xml_text import Element

_UNREAD = """
    Type Language Authors Author PrimaryAuthors SecondaryAuthors Organizations Organization Fund Media Year PubDate
    Volume Issue Page PageScope ISSN ISBN Publisher Address DOI Url URL Link CLC
"""
_TRANSLATED_KEYWORDS = "keywords in another language"


class CnkiNoteFirstReader(XmlExportReader):
    """NoteFirst XML. Every title, abstract and list of keywords is read, in file order, each in its own language."""

    name = "cnki_notefirst"
    source = "cnki"
    record_tag = "Bibliography"
    roles = FieldRoles(
        title=(".//PrimaryTitle//Title",),
        abstract=(".//Abstract", ".//Summary"),
        keywords=(".//Keywords//Keyword", _TRANSLATED_KEYWORDS),
        journal=(".//Media", ".//Publisher"),
        year=(".//Year", ".//PubDate"),
        doi=(".//DOI",),
        link=(".//Url", ".//URL", ".//Link"),
    )
    unread = frozenset(_UNREAD.split())

    def is_form(self, head: str) -> bool:
        """Whether there is a `<Bibliography>` with a primary title."""
        return re.search(r"<Bibliography\b", head) is not None and "<PrimaryTitle" in head

    def values(self, element: Element) -> FieldValues:
        """The fields, keywords parted by the language that they are marked with: the first one's, then the others'."""
        found = dict(super().values(element))
        field, others = self.roles.keywords
        words = [(word.get("Lang"), text) for word in element.iterfind(field) if (text := self.field_text(word))]
        found[field] = [text for lang, text in words if lang == words[0][0]]
        found[others] = [text for lang, text in words if lang != words[0][0]]
        return found
