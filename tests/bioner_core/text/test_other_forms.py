"""A text in other forms of its characters is cut and read as its plain form is."""

import pytest

from bioner_core.documents import Passage
from bioner_core.text.folding import fold
from bioner_core.text.sentences import split_passage

PAIRS = [
    ("IL-6 rose with H2O2. p38 fell.", "ＩＬ－６ rose with H₂O₂. p38 fell."),
    ("Ca2+ and Na+ in 10 mg of it. The fibres grew.", "Ca²⁺ and Na⁺ in 10\u00a0mg of it. The ﬁbres grew."),
    ("TNF-α of the cells. It was -5 °C.", "TNF\u200b-α of the ce\u00adlls. It was −5 °C."),
    ("患者高血压，服药3天。诊断为II型糖尿病。", "患者高血壓，服藥３天。診斷為Ⅱ型糖尿病。"),
    ("血清IL-10升高。CO2潴留。", "血清ＩＬ－１０升高。CO₂潴留。"),
]


@pytest.mark.parametrize(("plain", "other"), PAIRS)
def test_the_model_reads_the_plain_form_sentence_by_sentence(plain: str, other: str) -> None:
    """Would catch a form that moves a boundary, or that the model reads as something else than the plain text."""
    texts = [[one.text for one in split_passage(Passage("text", "", "en", text), 0)] for text in (plain, other)]
    assert len(texts[0]) == 2
    assert [fold(one).text for one in texts[1]] == texts[0]


@pytest.mark.parametrize(("plain", "other"), PAIRS)
def test_each_word_of_the_plain_form_leads_back_to_the_text_as_it_is(plain: str, other: str) -> None:
    """Would catch a mention whose offsets are those of the folded text."""
    folded = fold(other)
    for start, end in ((0, 4), (len(plain) - 4, len(plain))):
        first, last = folded.original_span(start, end)
        assert fold(other[first:last]).text.find(plain[start:end]) >= 0
