"""The benchmark tables of CSL (Chinese scientific literature): a task, a text and its answer, parted by tabs.

`to title` has abstract and title, `to keywords` a text (abstract, then title) and keywords, `to category` a title and
its category, which is no text.
"""

import re
from collections.abc import Iterator
from functools import partial

from bioner_core.documents import Document
from bioner_core.formats.contract import ByteSource, Origin, PendingRecord, Reader, RecordFault
from bioner_core.formats.encoding import decode_head, decoded_text
from bioner_core.formats.export_record import FieldRoles, export_document
from bioner_core.records import RejectReason

_LINE = re.compile(r"to (?P<task>title|keywords|category)\t(?P<text>[^\t]*)\t(?P<answer>[^\t]*)\s*")
_FIELDS = {"title": ("abstract", "title"), "keywords": ("abstract", "keywords"), "category": ("title", "category")}
_ROLES = FieldRoles(
    title=("title",), abstract=("abstract",), keywords=("keywords",), keyword_marks="_", typography_codes=False
)


class CslTableReader(Reader):
    """One record per line; the text of `to keywords` is one abstract passage with the title at its end."""

    name = "csl_tsv"
    source = "csl"

    def recognises(self, head: bytes) -> bool:
        """Whether the first line is a row of one of the three tables."""
        return re.match(r"\s*to (?:title|keywords|category)\t", decode_head(head)) is not None

    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        """Walk the rows in file order."""
        with decoded_text(stream) as text:
            for line in text.whole_lines():
                if line.strip():
                    yield partial(_row, line)


def _row(line: str, origin: Origin) -> Document:
    found = _LINE.fullmatch(line)
    if found is None:
        raise RecordFault(RejectReason.MALFORMED, "the row is not a task, a text and an answer parted by tabs")
    values = zip(_FIELDS[found["task"]], ([found["text"]], [found["answer"]]), strict=True)
    return export_document({name: texts for name, texts in values if texts[0]}, _ROLES, origin=origin)
