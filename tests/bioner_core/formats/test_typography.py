"""Typography codes: what counts as one, and that nothing is lost with it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.documents import Document
from bioner_core.formats.reader import read_records
from bioner_core.formats.typography import with_codes, without_codes

_PIECES = st.sampled_from(
    ["~", "_", "(", ")", "~(", "_(", "CD", "χ", "2", "10", "×10", "+", "-", "*", "岁", " ", "a", "]", "\n"]
)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("CD4~+CD25~+T细胞", "CD4+CD25+T细胞"),
        ("外施Ca~(2+)、ABA", "外施Ca2+、ABA"),
        ("χ~2=9.947", "χ2=9.947"),
        ("情况~([1-3])。", "情况[1-3]。"),
        ("H_3PO_4及Al_2O_3", "H3PO4及Al2O3"),
        ("IC_(50)为7", "IC50为7"),
        ("1×10~9/L", "1×109/L"),
        ("10~(-3)mol", "10-3mol"),
        ("Na~+-K~+-ATP", "Na+-K+-ATP"),
        ("K_m值", "Km值"),
        ("Cl~-浓度", "Cl-浓度"),
    ],
)
def test_codes_are_taken_out(written: str, text: str) -> None:
    """Catches a code that stays in the text, where the model would see it and no query would find the name."""
    found, removed = without_codes(written)
    assert found == text
    assert with_codes(found, removed) == written


@pytest.mark.parametrize(
    "text",
    [
        "18~65岁",
        "5~9 d",
        "-5~-3℃",
        "T~2.5",
        "T~25",
        "第1~3期",
        "3.5~4.2",
        "政府_政府信息",
        "Wright_Fisher",
        "sample_1",
        "rs_2021",
        "a ~ b",
        "__",
    ],
)
def test_what_is_no_code_stays(text: str) -> None:
    """Catches ranges and names with underscores that are taken for codes: numbers would run together."""
    assert without_codes(text) == (text, ())


def test_offsets_of_codes_count_in_the_text_that_is_left() -> None:
    """Catches offsets into the source, by which a code would be put back at the wrong place."""
    assert without_codes("Ca~(2+)与CD4~+") == ("Ca2+与CD4+", ((2, "~("), (4, ")"), (8, "~")))


@given(st.lists(_PIECES, max_size=30).map("".join) | st.text(max_size=60))
def test_every_text_can_be_restored(written: str) -> None:
    """Catches any text that loses a character with its codes, or in which a code stands out of order."""
    text, removed = without_codes(written)
    assert with_codes(text, removed) == written
    assert [offset for offset, _ in removed] == sorted(offset for offset, _ in removed)
    assert len(text) + sum(len(code) for _, code in removed) == len(written)


@pytest.mark.parametrize(
    "name", ["cnki_estudy_txt/mrhelper__demo_cnki_202101_a.txt", "cnki_refworks/translatorsCN__refworks_test2.txt"]
)
def test_real_fields_are_restored_to_the_letter(name: str, shared_folder: Path) -> None:
    """Catches codes of a real export that a document does not account for: each field is found again in the file."""
    path = shared_folder / "dumps" / name
    written = path.read_text(encoding="utf-8")
    documents = [one for one in read_records(str(path)) if isinstance(one, Document)]
    codes = [code for document in documents for code in document.meta.removed_codes]
    assert codes
    for document in documents:
        for index, passage in enumerate(document.passages):
            own = [(code.offset, code.code) for code in document.meta.removed_codes if code.passage_index == index]
            if passage.section != "keywords":
                assert with_codes(passage.text, own) in written
            assert "~+" not in passage.text
