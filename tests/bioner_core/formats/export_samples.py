"""Small exports of every kind that holds Chinese literature, written here; three records each."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq

TITLES = ("血清维生素D与2型糖尿病的关系", "IL-6在急性胰腺炎中的表达", "针刺治疗偏头痛的疗效观察")
ABSTRACTS = (
    "目的:观察疗效。方法:测定CD4~+、CD8~+T细胞。",
    "结果:两组Ca~(2+)浓度差异有统计学意义。",
    "结论:针刺可减少发作。",
)
KEYWORDS = ("维生素D;;糖尿病", "胰腺炎;白细胞介素6", "针刺；偏头痛")
RECORDS = tuple(zip(TITLES, ABSTRACTS, KEYWORDS, strict=True))

CSSCI = "南京大学中国社会科学研究评价中心\r\n数字文献处理系统 版本：2.1\r\n\r\n" + "".join(
    f"【来源篇名】{title}\r\n【英文篇名】A study of patients {number}\r\n【期    刊】某某杂志\r\n"
    f"【年代卷期】2019,38(0{number}):1-7\r\n【关 键 词】甲/乙\r\n【参考文献】\r\n1.某文.某刊.2018\r\n\r\n{'-' * 70}\r\n"
    for number, title in enumerate(TITLES)
)
CITESPACE = "".join(
    f"PT J\nAU 甲, \nTI {title}\nSO 某某杂志\nDE {keywords}\nAB {abstract}\nC1 某医院\n      AB 型某科\nPY 2021\n"
    "UT CNKI:0\nER\n\n"
    for title, abstract, keywords in RECORDS
)
CITATIONS = "".join(
    f"[{number}]甲,乙.{title}[J].某某杂志,2020,{number}(05):1-7.\n摘要:{abstract}\n"
    for number, (title, abstract, _) in enumerate(RECORDS, start=1)
)
CSL = f"to title\t{ABSTRACTS[0]}\t{TITLES[0]}\nto keywords\t{ABSTRACTS[1]}\t甲_乙\nto category\t{TITLES[2]}\t医学\n"
DEFINED_TEXT = "".join(
    f"SrcDatabase-来源库:期刊\nTitle-题名:{title}\nOrgan-单位:某医院\nSource-文献来源:某某杂志\nKeyword-关键词:{keywords}\n"
    f"Summary-摘要:{abstract}\nPageCount-页码:7-9\n\n"
    for title, abstract, keywords in RECORDS
)
COLUMNS = (
    "SrcDatabase-来源库",
    "Title-题名",
    "Organ-单位",
    "Source-文献来源",
    "Keyword-关键词",
    "Summary-摘要",
    "Year-年",
)
ROWS = (
    COLUMNS,
    *(("期刊", title, "某医院", "某某杂志", keywords, abstract, "2022") for title, abstract, keywords in RECORDS),
)
CSV = "".join(",".join(f'"{cell}"' for cell in row) + "\r\n" for row in ROWS)
HTML = (
    '<html><head><meta charset="utf-8"></head><body><table border="1">'
    + "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in ROWS)
    + "</table></body></html>"
)
_END_NOTE_RECORDS = "".join(
    f'<record><ref-type name="Journal Article">17</ref-type><titles><title><style face="normal">{title}</style></title>'
    f"<secondary-title>某某杂志</secondary-title></titles><keywords><keyword>甲</keyword><keyword>乙</keyword></keywords>"
    f'<dates><year>2013</year></dates><abstract><style face="normal">{abstract}</style></abstract>'
    "<remote-database-provider><style>CNKI</style></remote-database-provider></record>\n"
    for title, abstract, _ in RECORDS
)
END_NOTE_XML = f'<?xml version="1.0" encoding="utf-8"?>\n<xml><records>{_END_NOTE_RECORDS}</records></xml>\n'
E_STUDY_XML = (
    '<?xml version="1.0" encoding="utf-8"?>\n<ROOT>\n'
    + "".join(
        f"<DATA><Title>{title}</Title><Source>某某杂志</Source><Year>2020</Year><Keyword>{keywords}</Keyword>"
        f"<Summary>{abstract}</Summary></DATA>\n"
        for title, abstract, keywords in RECORDS
    )
    + '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.0 Transitional//EN" >\n</ROOT>\n'
)
NOTE_FIRST = (
    '<?xml version="1.0" encoding="utf-8"?>\n<Bibliographies>\n'
    + "".join(
        f'<Bibliography><Type>Journal</Type><PrimaryTitle><Title Lang="zh-CHS">{title}</Title>'
        f'<Title Lang="en">On patients</Title></PrimaryTitle><Year>2018</Year><Media>某某杂志</Media>'
        f'<Keywords><Keyword Lang="zh-CHS">{keywords}</Keyword><Keyword Lang="en">pain;;IL-6</Keyword></Keywords>'
        f'<Abstract Lang="zh-CHS">{abstract}</Abstract></Bibliography>\n'
        for title, abstract, keywords in RECORDS
    )
    + "</Bibliographies>\n"
)
WEB_EXPORT = json.dumps(
    {
        "code": 1,
        "msg": "返回成功",
        "data": [
            {"key": "GB/T 7714-2015 格式引文", "value": [f"[1]甲,乙.{TITLES[0]}[J].某某杂志,2008(05):1-7."]},
            {
                "key": "知网研学（原E-Study）",
                "value": [f"DataType: 1<br>Title-题名: {TITLES[0]}<br>Source-刊名: 某某杂志<br>Year-年: 2008<br>"],
            },
            {
                "key": "EndNote",
                "value": [f"%0 Journal Article<br>%A 甲%A 乙<br>%T {TITLES[0]}<br>%J 某某杂志<br>%D 2008"],
            },
        ],
    },
    ensure_ascii=False,
)

_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def workbook(
    sheets: Mapping[str, str], *, shared: Sequence[str] = (), extra: Mapping[str, bytes] | None = None
) -> bytes:
    """A spreadsheet from the XML of the rows of its sheets and of the texts that cells share."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        texts = "".join(f"<si>{text}</si>" for text in shared)
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{_SHEET}">{texts}</sst>')
        for name, rows in sheets.items():
            body = f'<worksheet xmlns="{_SHEET}"><sheetData>{rows}</sheetData></worksheet>'
            archive.writestr(f"xl/worksheets/{name}.xml", body)
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return packed.getvalue()


def sheet_rows(rows: Sequence[Sequence[str]]) -> str:
    """Rows whose cells hold their texts themselves."""
    return "".join("<row>" + "".join(map(_cell, row)) + "</row>" for row in rows)


def _cell(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{escape(text)}</t></is></c>'


def parquet(columns: Mapping[str, Sequence[object]]) -> bytes:
    """A Parquet file of these columns."""
    packed = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), packed)
    return packed.getvalue()


XLSX = workbook({"sheet1": sheet_rows(ROWS)})
PARQUET = parquet({"id": ["a", "b", "c"], "title": TITLES, "abstract": ABSTRACTS})

EXPORT_FORMS = {
    "cssci": CSSCI.encode(),
    "cnki_citespace": CITESPACE.encode(),
    "cnki_citation": CITATIONS.encode(),
    "csl_tsv": CSL.encode(),
    "cnki_estudy": DEFINED_TEXT.encode(),
    "cnki_table": CSV.encode(),
    "cnki_html_table": HTML.encode(),
    "cnki_endnote_xml": END_NOTE_XML.encode(),
    "endnote_xml": END_NOTE_XML.replace("CNKI", "Elsewhere").encode(),
    "cnki_estudy_xml": E_STUDY_XML.encode(),
    "cnki_notefirst": NOTE_FIRST.encode(),
    "cnki_web_export": WEB_EXPORT.encode(),
    "xlsx": XLSX,
    "parquet": PARQUET,
}
"""One export of each format, by the name of its reader."""

TEXT_FORMS = sorted(set(EXPORT_FORMS) - {"xlsx", "parquet", "cnki_web_export"})
"""The forms that are text of any encoding."""
