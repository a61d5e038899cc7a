"""EndNote XML: `<xml><records><record>`, text in `<style>` runs or bare."""

import re
from dataclasses import replace

from bioner_core.formats.export_record import FieldRoles
from bioner_core.formats.export_xml import XmlExportReader
from bioner_core.formats.xml_text import Element, text_of

_RECORDS = re.compile(r"<records\b[^>]*>\s*(?:<record\b|</records>|$)|<records\s*/>")
_CNKI = re.compile(r"<remote-database-(?:provider|name)>\s*(?:<style[^>]*>)?\s*CNKI|cnki\.net/", re.IGNORECASE)


class EndNoteXmlReader(XmlExportReader):
    """EndNote XML of any provider but CNKI."""

    name = "endnote_xml"
    source = "endnote"
    record_tag = "record"
    roles = FieldRoles(
        title=("titles/title", "titles/translated-title"),
        abstract=("abstract", "translated-abstract"),
        keywords=("keywords/keyword",),
        journal=("periodical/full-title", "titles/secondary-title", "publisher"),
        year=("dates/year", "dates/pub-dates/date"),
        doi=("electronic-resource-num",),
        link=("urls/related-urls/url", "urls/web-urls/url", "urls/text-urls/url"),
        typography_codes=False,
    )

    def is_form(self, head: str) -> bool:
        """Whether there are `<records>` with a `<record>` in them."""
        return _RECORDS.search(head) is not None

    def field_text(self, field: Element) -> str:
        """The text of a field; blanks that only lay out its `<style>` runs, on lines of their own, are no text."""
        runs = field.findall("style")
        if not runs:
            return text_of(field)
        between = [field.text, *(run.tail for run in runs)]
        layout = all(not gap or (not gap.strip() and "\n" in gap) for gap in between)
        return "".join(str(text) for run in runs for text in run.itertext()).strip() if layout else text_of(field)


class CnkiEndNoteXmlReader(EndNoteXmlReader):
    """EndNote XML with records of CNKI; one whole file is one source, decided by its first 64 KiB."""

    name = "cnki_endnote_xml"
    source = "cnki"
    roles = replace(EndNoteXmlReader.roles, typography_codes=True)

    def is_form(self, head: str) -> bool:
        """Whether CNKI is named as a record's provider, or in its links."""
        return super().is_form(head) and _CNKI.search(head) is not None
