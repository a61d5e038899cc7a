"""Exports of Chinese databases as people save them: Big5, page scripts and list markup, other brackets."""

import pytest
from dump_samples import ReadBytes, outcomes

RECORD = (
    "{Reference Type}: Journal Article\n{Title}: 急性胰腺炎的诊断与治疗\n{Journal}: 某某杂志\n{Year}: 2020\n"
    "{Abstract}: 目的 探讨早期诊断的方法。结果 血清淀粉酶升高。\n"
)
TRADITIONAL = (
    "{Reference Type}: Journal Article\n{Title}: 急性胰臟炎的診斷與治療\n{Journal}: 臺灣醫學會雜誌\n{Year}: 2020\n"
    "{Abstract}: 目的 探討早期診斷的方法。結果 病患血清澱粉酵素升高，經治療後改善。\n"
)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(RECORD, "gb18030"), (RECORD, "utf-8"), (TRADITIONAL, "big5"), (TRADITIONAL, "gb18030"), (TRADITIONAL, "utf-16")],
)
def test_simplified_and_traditional_text(text: str, encoding: str, read_bytes: ReadBytes) -> None:
    """Catches Big5 read as GB18030, which gives characters that nobody wrote, and the other way round."""
    records = read_bytes(text.encode(encoding))
    assert outcomes(records) == ["Document"]
    assert records[0].passages[0].text in text
    assert records[0].passages[1].text in text


def test_text_in_an_encoding_that_is_not_read(read_bytes: ReadBytes) -> None:
    """Catches names in Windows-1252 whose accents become Chinese characters."""
    records = read_bytes(
        "PMID- 7\nTI  - Le syndrome de Guérin.\nAB  - Réponse présente, fièvre légère.\n".encode("cp1252")
    )
    assert outcomes(records) == ["bad_encoding"]


@pytest.mark.parametrize(
    "content",
    [
        f"(function(){{var a=1;}}());   ;{RECORD}",
        f"<script>var b = 2;</script>\n{RECORD}",
        f"var a = 1;\nwindow.b = function () {{ return a; }};\n{RECORD}",
        f"<ul class='list'><li>{RECORD.strip().replace(chr(10), '<br>')}</li></ul>",
        RECORD.replace("{", "[").replace("}", "]"),
    ],
)
def test_what_a_page_leaves_around_records(content: str, read_bytes: ReadBytes) -> None:
    """Catches a whole export that is of no known format because of a script before its first record."""
    records = read_bytes((content + "\n" + RECORD).encode())
    assert outcomes(records) == ["Document", "Document"]
    assert {one.doc_id for one in records} == {records[0].doc_id}
    assert [p.text for p in records[0].passages] == [
        "急性胰腺炎的诊断与治疗",
        "目的 探讨早期诊断的方法。结果 血清淀粉酶升高。",
    ]


def test_lines_before_the_first_record_are_no_page(read_bytes: ReadBytes) -> None:
    """Catches text before the first record that is passed over as if it were a script."""
    assert outcomes(read_bytes(f"Some words.\n{RECORD}".encode(), format_name="cnki_noteexpress"))[0] == "malformed"
