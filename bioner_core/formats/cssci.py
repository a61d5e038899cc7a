"""CSSCI exports: `【来源篇名】…` lines under a heading, records parted by rules; titles and keywords, no abstracts."""

import re
from typing import ClassVar

from bioner_core.formats.export_record import FieldRoles, FieldValues
from bioner_core.formats.tagged import TaggedReader

TAGS = (
    "来源篇名", "英文篇名", "来源作者", "作者", "基金", "期刊", "第一机构", "机构名称", "第一作者", "中图类号",
    "年代卷期", "关键词", "基金类别", "参考文献", "学科类别", "文献类型", "来源期刊", "摘要",
)  # fmt: skip
"""The names of fields, without the blanks by which the export spreads them (`【期    刊】`)."""

CSSCI_ROLES = FieldRoles(
    title=("来源篇名", "英文篇名"),
    abstract=("摘要",),
    keywords=("关键词",),
    journal=("期刊", "来源期刊"),
    year=("年代卷期",),
    keyword_marks="/;；",
    classes=("中图类号",),
)

_SPREAD = "|".join(r"\s*".join(tag) for tag in sorted(TAGS, key=len, reverse=True))


class CssciReader(TaggedReader):
    """CSSCI exports; the three lines of the database's own heading belong to no record."""

    name = "cssci"
    source = "cssci"
    tag_line = re.compile(rf"【(?P<tag>{_SPREAD})】(?P<value>.*)", re.DOTALL)
    start_tags = frozenset({"来源篇名"})
    roles = CSSCI_ROLES
    ignored_lines: ClassVar = re.compile(r"\s*(?:-{5,}|南京大学中国社会科学研究评价中心|数字文献处理系统.*|版权所有.*)")

    def values(self, fields: FieldValues) -> FieldValues:
        """The fields under their names without blanks."""
        return {"".join(tag.split()): values for tag, values in fields.items()}
