"""NoteExpress exports, `{Tag}: value` or `[Tag]: value`, of CNKI and of Wanfang: one form, two sources."""

import re

from bioner_core.formats.encoding import decode_head
from bioner_core.formats.export_record import FieldRoles
from bioner_core.formats.tagged import TaggedReader, tag_pattern

_TAGS = (
    "Reference Type", "Title", "Translated Title", "Short Title", "Secondary Title", "Tertiary Title", "Author",
    "Translated Author", "Secondary Author", "Tertiary Author", "Subsidiary Author", "Subsidiary Author,",
    "Author Address", "Author Affiliation", "Journal", "Translated Journal", "Year", "Date", "Volume", "Issue", "Pages",
    "Section", "Edition", "Number of Volumes", "Number", "Keywords", "Translated Keywords", "Abstract",
    "Translated Abstract", "ISBN/ISSN", "ISBN", "ISSN", "图书印刷版ISBN", "Notes", "URL", "DOI", "Database Provider",
    "Publisher", "Place Published", "Type of Work", "Language", "SrcDatabase", "TryDate", "Accession Number",
    "Call Number", "Label", "Research Notes", "Alternate Title", "Translator", "Original Publication", "Access Date",
    "Custom 1", "Custom 2", "Custom 3", "Custom 4", "Custom 5", "Custom 6", "Custom 7",
)  # fmt: skip

_WANFANG = re.compile(r"[{\[](?:Database Provider[}\]]\s*[:：].*万方|URL[}\]]\s*[:：].*wanfangdata\.com\.cn)")


class CnkiNoteExpressReader(TaggedReader):
    """NoteExpress exports of CNKI, and of any other provider that is not Wanfang."""

    name = "cnki_noteexpress"
    source = "cnki"
    tag_line = re.compile(rf"[{{\[](?P<tag>{tag_pattern(_TAGS)})[}}\]]\s*[:：](?P<value>.*)", re.DOTALL)
    start_tags = frozenset({"Reference Type"})
    roles = FieldRoles(
        title=("Title", "Translated Title"),
        abstract=("Abstract", "Translated Abstract"),
        keywords=("Keywords", "Translated Keywords"),
        journal=("Journal", "Secondary Title", "Publisher"),
        year=("Year", "Date", "TryDate"),
        doi=("DOI",),
        link=("URL",),
    )


class WanfangNoteExpressReader(CnkiNoteExpressReader):
    """NoteExpress exports of Wanfang; one whole file is one source, decided by its first 64 KiB."""

    name = "wanfang_noteexpress"
    source = "wanfang"

    def recognises(self, head: bytes) -> bool:
        """Whether it is a NoteExpress export that names Wanfang as its provider or in its links."""
        return super().recognises(head) and _WANFANG.search(decode_head(head)) is not None
