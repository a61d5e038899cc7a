"""What the model reads in place of other forms of the same characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.text.folding import fold

ODD = "ﬁﬀﬃ\u200b\u00ad\ufeff\u00a0\u3000Ⅱⅻ²₂⁺⁻－ＡｚＩＬ９壓後診é‐−–x 1病\U0001d6fc\u200d，（"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("H₂O₂ and Ca²⁺", "H2O2 and Ca2+"),
        ("ＩＬ－６ ａｎｄ ｐ５３", "IL-6 and p53"),
        ("ﬁbrosis, eﬃcacy", "fibrosis, efficacy"),
        ("TNF\u200b-\u00adα\ufeff", "TNF-α"),
        ("10\u00a0mg\u2009of\u3000it", "10 mg of it"),
        ("NF\u2011κB, \u22125 °C", "NF-κB, -5 °C"),
        ("µg of \u03d5X174", "μg of φX174"),
        ("Ⅱ型糖尿病", "II型糖尿病"),
        ("高血壓與糖尿病，診斷後", "高血压与糖尿病，诊断后"),
        ("患者（男），年龄：６５岁。", "患者（男），年龄：65岁。"),
        ("plain text, nothing to do", "plain text, nothing to do"),
        ("café, naïve, β-catenin", "café, naïve, β-catenin"),
    ],
)
def test_other_forms_are_read_as_the_plain_ones(text: str, read: str) -> None:
    """Would catch a form that the model meets as a rare token, and Chinese punctuation folded to Latin."""
    assert fold(text).text == read


@pytest.mark.parametrize(
    ("text", "read", "found"),
    [
        ("ﬁbrosis of it", "fibrosis", "ﬁbrosis"),
        ("an eﬃcacy", "efficacy", "eﬃcacy"),
        ("of TNF\u200b-α\u200b, and", "TNF-α", "TNF\u200b-α"),
        ("\ufeff\u200bIL-2 binds", "IL-2", "IL-2"),
        ("with Ⅱ型糖尿病。", "II型糖尿病", "Ⅱ型糖尿病"),
        ("血壓升高", "血压", "血壓"),
        ("on aﬃx", "f", "ﬃ"),
    ],
)
def test_spans_lead_back_to_the_text_as_it_is(text: str, read: str, found: str) -> None:
    """Would catch offsets of the folded text in a mention, and invisible characters at a mention's edges."""
    folded = fold(text)
    place = folded.text.index(read)
    start, end = folded.original_span(place, place + len(read))
    assert text[start:end] == found


@given(st.text(alphabet=st.sampled_from(ODD), max_size=30), st.data())
def test_any_span_leads_back_to_the_characters_that_it_was_folded_from(text: str, data: st.DataObject) -> None:
    """Would catch a span that is empty, out of the text, or of other characters, in any mix of forms."""
    folded = fold(text)
    assert fold(folded.text).text == folded.text
    if not folded.text:
        return
    start = data.draw(st.integers(0, len(folded.text) - 1))
    end = data.draw(st.integers(start + 1, len(folded.text)))
    first, last = folded.original_span(start, end)
    assert 0 <= first < last <= len(text)
    assert folded.text[start:end] in fold(text[first:last]).text
    assert fold(text[first]).text
    assert fold(text[last - 1]).text


def test_simplified_text_is_not_touched() -> None:
    """Would catch a table whose Simplified characters are folded on, or that changes what stands in both scripts."""
    text = "患者乾坤、徵羽、咳嗽、发热，诊断为肺炎后住院治疗。"
    assert fold(text).text == text


def test_characters_that_a_model_knows_are_kept() -> None:
    """Would catch a model whose learned rows are never read again."""
    text = "Ⅱ型，３～５天，ﬁ"
    assert fold(text, keep="Ⅱ～").text == "Ⅱ型，3～5天，fi"
    folded = fold(text, keep="ﬁ")
    assert folded.text == "II型，3~5天，ﬁ"
    assert folded.original_span(0, 2) == (0, 1)
