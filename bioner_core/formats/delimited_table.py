"""自定义 tables of CNKI as comma- or tab-separated text."""

import csv
import re
from collections.abc import Iterator
from itertools import chain

from bioner_core.formats.contract import ByteSource, FileFault, PendingRecord, Reader
from bioner_core.formats.encoding import DecodedText, decode_head, decoded_text
from bioner_core.formats.table_columns import Row, table_records
from bioner_core.records import RejectReason

_FIRST_ROW = re.compile(
    r"\s*\"?(?:[A-Za-z]+-[\u4e00-\u9fffA-Z]+\"?(?P<mark>[,\t])\"?)?(?:SrcDatabase|Title)-[\u4e00-\u9fff]+\"?(?P<next>[,\t])"
)


class DelimitedTableReader(Reader):
    """One row per record below a first row of names such as `Title-题名`; cells may be quoted, and then hold line ends.

    Quotes that do not pair end the file with a reject there, since nobody can tell where the next row begins.
    """

    name = "cnki_table"
    source = "cnki"

    def recognises(self, head: bytes) -> bool:
        """Whether the first row names the title, or the database, as its first or second column."""
        return _FIRST_ROW.match(decode_head(head)) is not None

    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        """Walk the rows in file order."""
        with decoded_text(stream) as text:
            yield from table_records(_rows(text), table="the table")


def _rows(text: DecodedText) -> Iterator[Row]:
    lines = text.whole_lines()
    first = next(lines, "").lstrip("\ufeff")
    mark = "\t" if "\t" in first else ","
    try:
        for cells in csv.reader(chain([first], lines), delimiter=mark, strict=True):
            yield {column: cell for column, cell in enumerate(cells) if cell.strip()}
    except csv.Error as error:
        raise FileFault(RejectReason.MALFORMED, f"rows cannot be told apart: {error}") from None
