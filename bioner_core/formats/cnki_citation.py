"""Citations of CNKI by GB/T 7714, `[1]作者.题名[J].刊名,年(期):页.`, and with an abstract below as 查新 writes them."""

import re

from bioner_core.formats.export_record import FieldRoles, FieldValues
from bioner_core.formats.tagged import TaggedReader

_KIND = r"\[[A-Z]{1,3}(?:/[A-Z]{2})?\]"
_CITATION = re.compile(rf"\d+\]\s*(?P<before>.*?)\s*{_KIND}\s*(?://|[.．。])?\s*(?P<after>.*)", re.DOTALL)
# The point between authors and title; one between two digits belongs to a number.
_POINT = re.compile(r"(?<!\d)[.．]|[.．](?!\d)")


class CnkiCitationReader(TaggedReader):
    """One citation per line, with `摘要:` and `关键词:` lines of its own if there are any.

    The title is what stands between the first point and the mark of the document's kind (`[J]`); where there is no
    point the citation has no authors, and all of it is the title.
    """

    name = "cnki_citation"
    source = "cnki"
    tag_line = re.compile(
        rf"(?P<tag>\[(?=\d{{1,6}}\].*{_KIND})|(?:摘要|关键词)(?=\s*[:：]))\s*[:：]?(?P<value>.*)", re.DOTALL
    )
    start_tags = frozenset({"["})
    roles = FieldRoles(
        title=("title",),
        abstract=("摘要",),
        keywords=("关键词",),
        journal=("journal",),
        year=("after",),
        doi=("after",),
    )

    def values(self, fields: FieldValues) -> FieldValues:
        """The fields, and the parts of the citation under names of their own."""
        found = _CITATION.fullmatch(fields["["][0]) if "[" in fields else None
        if found is None:
            return fields
        point = _POINT.search(found["before"])
        title = found["before"][point.end() if point else 0 :]
        after = found["after"].rstrip(" .。")
        parts = {"title": title, "after": after, "journal": re.split("[,，]", after)[0]}
        return {**fields, **{name: [text] for name, text in parts.items() if text}}
