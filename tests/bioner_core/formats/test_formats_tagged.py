"""The tagged exports of CNKI and Wanfang: fields, wrapped lines, marks, identity, encodings."""

import hashlib
from typing import Any

import pytest
from dump_samples import E_STUDY, END_NOTE, NOTE_EXPRESS, REF_WORKS, ReadBytes, outcomes

from bioner_core.formats.tagged import joined_lines


def passages(records: list[Any]) -> list[tuple[str, str, str]]:
    """Section, language and text of every passage."""
    return [(p.section, p.lang, p.text) for record in records for p in record.passages]


@pytest.mark.parametrize("form", [NOTE_EXPRESS, REF_WORKS, END_NOTE, E_STUDY])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
def test_encodings_and_line_ends(form: str, encoding: str, read_bytes: ReadBytes) -> None:
    """Catches an encoding or a line end for which a form reads otherwise than as UTF-8 with line feeds."""
    mark = "\ufeff" if encoding == "utf-16-le" else ""
    expected = passages(read_bytes(form.encode()))
    assert len(expected) >= 4
    for text in (form, form.replace("\r\n", "\n").replace("\n", "\r\n"), form.rstrip()):
        assert passages(read_bytes((mark + text).encode(encoding))) == expected


def test_wrapped_lines_join_by_script() -> None:
    """Catches blanks put into Chinese words that were cut at a line's end, and English words glued together."""
    assert joined_lines(" 肺部", ["感染 ", "\t患者"]) == "肺部感染患者"
    assert joined_lines("acute", ["kidney", "injury"]) == "acute kidney injury"
    assert joined_lines("IL-2", ["水平升高,", "T", "cells减少50", "%"]) == "IL-2水平升高,T cells减少50%"
    assert joined_lines("", ["text"]) == "text"
    # a word may end, or begin, with a digit
    assert joined_lines("探讨the p53", ["gene与IL-6", "mRNA的关系"]) == "探讨the p53 gene与IL-6 mRNA的关系"
    assert joined_lines("检测IL", ["6水平为12", "34ng，P<", "0.05"]) == "检测IL 6水平为1234ng，P<0.05"


def test_noteexpress_fields(read_bytes: ReadBytes) -> None:
    """Catches full-width colons, missing blanks, unknown braces inside a text, and `<正>` left in it."""
    text = (
        "{Reference Type}: Journal Article\n{Title}：题名\n{Author}: 甲;乙\n{Journal}:某杂志\n{Year}: 2016\n"
        "{Keywords}: 甲；乙;;丙\n{Keywords}:  2,4-D\n{Abstract}: ＜正＞目的(#br)A&amp;B &lt;0.05&apos;\n"
        "{x}: 集合,\n咳嗽\n{Translated Abstract}: English\n{DOI}: https://doi.org/10.1234/ABC.5\n"
    )
    (record,) = read_bytes(text.encode())
    assert passages([record]) == [
        ("title", "zh", "题名"),
        ("abstract", "zh", "目的\nA&B <0.05'{x}: 集合,咳嗽"),
        ("abstract", "en", "English"),
        ("keywords", "zh", "甲; 乙; 丙; 2,4-D"),
    ]
    meta = record.meta
    assert (meta.journal, meta.year, meta.keywords) == ("某杂志", "2016", ("甲", "乙", "丙", "2,4-D"))
    assert (record.doc_id, meta.ids) == ("cnki:doi:10.1234/abc.5", (("doi", "10.1234/ABC.5"),))


def test_refworks_tags_without_a_blank(read_bytes: ReadBytes) -> None:
    """Catches `A1林行众` read as a wrapped line, lower-case `vo`, and a wrapped line that starts like a longer tag."""
    text = (
        "RT Dissertation/Thesis\nSR 1\nA1林行众\nvo 10\nT1题名\nAB 用ABTS法测定\nABTS 法\nADP水平\nPB 某大学\nYR 2012\n"
    )
    (record,) = read_bytes(text.encode())
    assert passages([record]) == [("title", "zh", "题名"), ("abstract", "zh", "用ABTS法测定ABTS 法ADP水平")]
    assert (record.meta.journal, record.meta.year) == ("某大学", "2012")


def test_endnote_wrapped_abstract_and_service_line_breaks(read_bytes: ReadBytes) -> None:
    """Catches paragraphs of a thesis lost after the first line, and a service's `<br>` that hides all tags but one."""
    text = "%0 Thesis\n%T 题名\n%X 第一段。\n\t第二段占50\n%的患者,\n%5 以上\n%W CNKI\n\n\n"
    (record,) = read_bytes(text.encode())
    assert passages([record])[1] == ("abstract", "zh", "第一段。第二段占50%的患者,%5 以上")
    (record,) = read_bytes("%0 Journal Article<br>%A 甲%A 乙<br>%T 题名<br>%X 摘要<br>%D 2008<br>".encode())
    assert (passages([record]), record.meta.year) == ([("title", "zh", "题名"), ("abstract", "zh", "摘要")], "2008")


def test_estudy_variants(read_bytes: ReadBytes) -> None:
    """Catches `SrcDatabase`, which ends a record's tags in one variant and begins the record in the other."""
    first = (
        "DataType: 1\nTitle-题名: 甲\nSrcDatabase-来源库: 期刊\nDataType: 2\nTitle-题名: 乙\nSrcDatabase-来源库: 博士\n"
    )
    second = (
        "SrcDatabase-来源库:期刊\nTitle-题名:甲\nSummary-摘要:摘要\nSource-文献来源:某刊\nYear-年鉴年份:2020\n"
        "Title: not a tag\n\nSrcDatabase-来源库:期刊\nTitle-题名:乙\n"
    )
    assert [p[2] for p in passages(read_bytes(first.encode()))] == ["甲", "乙"]
    records = read_bytes(second.encode())
    assert [p[2] for p in passages(records)] == ["甲", "摘要", "乙"]
    assert (records[0].meta.journal, records[0].meta.year) == ("某刊", "2020")


def test_identity_order(read_bytes: ReadBytes) -> None:
    """Catches ids that change with the order of fields, with a link's database name, or with width and case."""
    base = "DataType: 1\nTitle-题名: Ａ题名 (一)\nSource-刊名: 某刊\nYear-年: 2020\n"
    link = "Link-链接: https://kns.cnki.net/kcms/detail/detail.aspx?DbName=CJFQTEMP&FileName=ABCD202101034\n"
    doi = "Link-链接: https://link.cnki.net/doi/10.1234/X(20)1\n"
    opaque = "Link-链接: https://kns.cnki.net/kcms2/article/abstract?v=4j1cDaxz&uniplatform=NZKPT\n"
    identifiers = [read_bytes((base + extra).encode())[0].doc_id for extra in (link, doi, opaque, "")]
    digest = hashlib.sha256("a题名一\x1f某刊\x1f2020".encode()).hexdigest()[:16]
    assert identifiers == ["cnki:ABCD202101034", "cnki:doi:10.1234/x(20)1", f"cnki:{digest}", f"cnki:{digest}"]
    assert read_bytes(base.replace("Ａ题名 (一)", "a题名（一）").encode())[0].doc_id == f"cnki:{digest}"


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_wanfang_is_a_source_of_its_own(encoding: str, read_bytes: ReadBytes) -> None:
    """Catches Wanfang records filed under CNKI, where their ids would be looked for in the wrong place."""
    text = NOTE_EXPRESS.replace("\n\n\n", "\n{Database Provider}: 北京万方数据股份有限公司\n\n")
    link = "{URL}: http://www.wanfangdata.com.cn/details/detail.do?_type=perio&id=abc-d20200\n"
    records = read_bytes((text + link).encode(encoding))
    assert {record.source for record in records} == {"wanfang"}
    assert records[-1].doc_id == "wanfang:abc-d20200"
    assert {record.source for record in read_bytes(NOTE_EXPRESS.encode(encoding))} == {"cnki"}


def test_unusable_records(read_bytes: ReadBytes) -> None:
    """Catches records without text, or lines before the first record, dropped in silence."""
    text = "%T 没有开头\n%0 Journal Article\n%A 甲\n%0 Journal Article\n%T 题名\n"
    records = read_bytes(text.encode(), format_name="cnki_endnote")
    assert outcomes(records) == ["malformed", "no_text", "Document"]
    assert records[1].doc_id.startswith("cnki:")
