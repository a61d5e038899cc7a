"""EndNote XML: `<xml><records><record>`, text in `<style>` runs or bare."""

import re
from dataclasses import replace

from bioner_core.formats.export_record import FieldRoles
from bioner_core.formats.export_xml import XmlExportReader
from bioner_core.formats.xml_text import Element, text_of

_RECORDS = re.compile(r"<records\b[^>]*>\s*(?:<record\b|</records>|$)|<records\s*/>")
_UNREAD = """
    database source-app rec-number foreign-keys ref-type contributors auth-address auth-affiliaton auth-affiliation
    secondary-title tertiary-title alt-title short-title periodical alt-periodical pages volume number issue
    secondary-volume secondary-issue num-vols edition section reprint-status reprint-edition dates pub-location
    publisher orig-pub isbn
    accession-num call-num report-id coden electronic-resource-num label image caption notes research-notes work-type
    reviewed-item availability remote-source meeting-place work-location work-extent pack-method size repro-ratio
    remote-database-name remote-database-provider language urls access-date modified-date custom1 custom2 custom3
    custom4 custom5 custom6 custom7 misc1 misc2 misc3
"""
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
    unread = frozenset(_UNREAD.split())

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
