"""Tables of records: which column of a spreadsheet says what, and rows to documents.

Column names come from CNKI's 自定义 (`Title-题名`: the English half counts, but its `Organ` and `PageCount` mean other
things than E-Study's), from CSSCI (`【来源篇名】`), and from people (`题名`, `Title`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import NoReturn

from bioner_core.documents import Document
from bioner_core.formats.contract import MAX_RECORD_BYTES, Origin, PendingRecord, RecordFault
from bioner_core.formats.cssci import CSSCI_ROLES
from bioner_core.formats.export_record import FieldRoles, export_document
from bioner_core.records import RejectReason

MAX_ROWS_BEFORE_HEADER = 20
"""A title over the table, or remarks, may take so many rows; then there must be a row of column names."""

Row = Mapping[int, str]
"""The cells of a row that have text, by column from 0."""


class UnreadableRow(dict[int, str]):
    """Stands for a row that could not be read: its record is a reject, and the rows after it count on."""

    def __init__(self, fault: RecordFault) -> None:
        super().__init__({0: ""})
        self.fault = fault


_NAMES = {
    "title": ("title", "题名", "篇名", "标题", "论文题名", "中文题名", "中文标题", "文献标题", "来源篇名"),
    "translated title": ("translated title", "english title", "英文题名", "英文篇名", "英文标题", "外文题名"),
    "abstract": ("abstract", "summary", "摘要", "中文摘要"),
    "translated abstract": ("translated abstract", "english abstract", "英文摘要", "外文摘要"),
    "keywords": ("keyword", "keywords", "关键词", "中文关键词", "关键字"),
    "translated keywords": ("translated keywords", "english keywords", "英文关键词", "外文关键词"),
    "journal": ("source", "journal", "文献来源", "来源", "刊名", "期刊", "期刊名称", "来源期刊"),
    "year": ("year", "年", "年份", "发表年份", "年代卷期"),
    "date": ("pubtime", "发表时间", "出版时间", "发表日期"),
    "doi": ("doi",),
    "link": ("url", "link", "网址", "链接"),
    "class": ("clc", "分类号", "中图分类号", "中图类号", "中图分类"),
}
_FIELD_OF = {"".join(name.split()): field for field, names in _NAMES.items() for name in names}
_DATES = frozenset({"year", "date"})
# five digits that begin with a year of this century or the last are a year and an issue, which people write so
_DAYS = re.compile(r"(?!19|20)\d{5}(?:\.\d+)?", re.ASCII)
_LONGEST_NAME = 1000
"""Characters of a cell from which on it is text and no name of a column, and is not taken apart to see."""
_BOTH_HALVES = re.compile(r"(?P<english>[A-Za-z]+)-(?P<chinese>.+)")
_ROLES = FieldRoles(
    title=("title", "translated title"),
    abstract=("abstract", "translated abstract"),
    keywords=("keywords", "translated keywords"),
    journal=("journal",),
    year=("year", "date"),
    doi=("doi",),
    link=("link",),
    classes=("class",),
)
_CSSCI_ROLES = replace(_ROLES, keyword_marks=CSSCI_ROLES.keyword_marks)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which field each column of a table holds, and what the fields are to a document."""

    fields: Mapping[int, str]
    roles: FieldRoles


def table_records(rows: Iterable[Row], *, table: str, day_zero: date | None = None) -> Iterator[PendingRecord]:
    """The records of a table, one per row below the row of column names; rows without text are none.

    A table with text but without such a row is one record that cannot be used; `table` is its name in the message. A
    row is weighed before anything of it is copied: many cells may point to one text. `day_zero` is the day from which a
    spreadsheet counts the days by which it stores dates; without it, a number is no date.
    """
    filled = (_weighed(row) for row in rows if row)
    columns: Columns | None = None
    passed_over = 0
    while columns is None and passed_over < MAX_ROWS_BEFORE_HEADER and (row := next(filled, None)):
        columns = _columns(row)
        passed_over += 1
    if columns is not None:
        yield from (partial(_document, columns, row, day_zero) for row in filled)
    elif passed_over:
        yield partial(_headless, table)


def _weighed(row: Row) -> Row:
    """The row, or what stands for it where its cells take too much together."""
    if sum(map(len, row.values())) <= MAX_RECORD_BYTES:
        return row
    return UnreadableRow(RecordFault(RejectReason.TOO_LARGE, f"the row takes more than {MAX_RECORD_BYTES} characters"))


def _columns(row: Row) -> Columns | None:
    """The columns that a row names; None if it names no column with a title or an abstract."""
    fields = {column: field for column, cell in row.items() if (field := _field_of(cell))}
    if not {"title", "abstract"} & set(fields.values()):
        return None
    return Columns(fields, _CSSCI_ROLES if any("【" in cell for cell in row.values()) else _ROLES)


def _field_of(column_name: str) -> str:
    if len(column_name) > _LONGEST_NAME:
        return ""
    name = "".join(column_name.strip("【】 \n").split())
    both = _BOTH_HALVES.fullmatch(name)
    return _FIELD_OF.get((both["english"] if both else name).casefold(), "")


def _document(columns: Columns, row: Row, day_zero: date | None, origin: Origin) -> Document:
    if isinstance(row, UnreadableRow):
        raise row.fault
    values: dict[str, list[str]] = {}
    for column, field in columns.fields.items():
        if text := row.get(column, "").strip():
            if day_zero is not None and field in _DATES and _DAYS.fullmatch(text):
                text = str(day_zero + timedelta(int(text[:5])))
            values.setdefault(field, []).append(text)
    return export_document(values, columns.roles, origin=origin)


def _headless(table: str, _origin: Origin) -> NoReturn:
    names = ", ".join((*_NAMES["title"][:3], *_NAMES["abstract"][:3]))
    raise RecordFault(RejectReason.MALFORMED, f"{table}: no row names a column of titles or abstracts ({names}, ...)")
