"""Single rules of the splitter, each with the text that made it necessary."""

from itertools import pairwise

import pytest

from bioner_core.text.boundaries import sentence_ends
from bioner_core.text.stops import MAX_ENCLOSED

BAR = "|"


def marked(text: str) -> str:
    """The text with a bar for each boundary inside it; the blanks beside a bar are dropped."""
    ends = [0, *(end for end in sentence_ends(text) if text[end:].strip()), len(text)]
    return BAR.join(text[a:b].strip() for a, b in pairwise(ends))


@pytest.mark.parametrize(
    "expected",
    [
        "Cells grew.|We counted them.",
        "Did they grow?|Yes!|We counted 12.|3 died.",
        "As in Fig. 1 and Figs. 2 and 3 it fell.|The end.",
        "Smith et al. (1993) and Lee et al. 1994 agree.",
        "This was shown by Smith et al.|However, others differ.",
        "Given i.v. or i.p. to mice, e.g. C57BL/6, i.e. inbred ones, vs. 5 controls.|It worked.",
        "E. coli and S. cerevisiae grew.|C. elegans did not.",
        "The transcription factor NF-kappa B.|Activation follows.",
        "Chronic hepatitis C.|Patients were treated.",
        "It persisted for 24 h.|Fragmentation was absent after 10-15 min.|Then it rose.",
        "A dose of 0.5 mg (p < 0.05).|No. 5 of vol. 12 was kept.",
        "The value was low (P = .03).|Two of 3.5 died.",
        "It binds (see Jones, G. W. (1998) Am. J. Physiol. 275, L389).|To see why, we ran it.",
        "So a) this (as Jones (1993) said. See Smith) fell.|We stopped.",
        "A dose (5 mg was given.|Levels (of E2) fell.",
        "It began within 1-3 min.|Lysis rose.|A maximum is seen at max. Dose of it.",
        "[12] Results of it fell.",
        "Reported by J. Smith and G. W. Jones.|They agree.",
        "The extracellular pH.|Both were low.",
        "The mRNA of MR.|After that it fell in CF.|Because of this it rose.",
        "1. Danazol was given.|2. It did not alter E2.|3. We stopped.",
        "A. First item here.|B. Second item here.",
        "Stimulation of cells.|c-Fos rose.|p53 fell.|mRNA was low.|α-Synuclein rose.",
        "with cells. and then lower case goes on",
        "As was shown.[12,13]|The rest is new.|It was shown earlier.3,4|We agree.",
        "IL-2.5 and p21.1 and 3.1415 stay.",
        'He called it the "death domain".|Another follows.',
        "Title of it [see comments]|The flow of information is here.",
        "[Corticoids and allergy]|Inflammation is constant.",
        "The [3H]Thymidine and [Ca2+] Change stay.",
        "One wrapped\nline goes on.|Next one.",
        "It maps to chr. 9p21 and Chr. X.|We saw it at pos. 12 too.",
        "Tubes were kept at -70 C.|RNA was made at 4 C.|c-Myc rose.|In 2011 C. Brown saw it.",
        "The medium was at pH 6.8.|p38 was added.|It held 3.5 (see 2.1. p53 too).",
        "Escherichia coli str. K-12 substr. MG1655 was used.|It grew.",
        "Brucella melitensis bv. 1 str. 16M and Salmonella enterica ser. Typhimurium str. LT2 grew.|The rest died.",
        "Brassica oleracea convar. Capitata f. alba and Fusarium f. sp. Cubense grew.",
        "Pseudomonas syringae pv. Tomato and Oryza sativa L. cv. Nipponbare grew.",
        "It is gen. nov. and sp. nov. Strain A is its type.|The name of sp. nov.|The type follows.",
        "It was phosphorylated on Ser.|Mutants were not.|On the str. A of it.",
        "Seeds of Arabidopsis thaliana (L.) Heynh. Columbia were sown.|They grew.",
        "Seeds of Arabidopsis thaliana (L.) Heynh.|The seeds of Phaseolus (Willd.) Thunb. ecotypes grew.",
        "Roots of Panax ginseng C.A. Mey. Roots and Salvia miltiorrhiza Bge. Root.|The extract.",
        "We grew Brassica oleracea (L.)|The plants died.|It was seen (by Lee.)|Plants died.",
        "Fish were kept at 28. 5 degrees (P < 0. 01).|A peak was seen at 12.|5 fish died.",
    ],
)
def test_english(expected: str) -> None:
    """Catches a rule that breaks a term or joins two sentences."""
    assert marked(expected.replace(BAR, " ")) == expected


@pytest.mark.parametrize(
    "expected", ["Activity was lost.|These data show it.", "It rose (3%).|However, it fell.", "J.Biol.Chem.In.X stays."]
)
def test_a_lost_blank(expected: str) -> None:
    """Catches two sentences taken as one where the printer lost the blank, and breaks inside glued abbreviations."""
    assert marked(expected.replace(BAR, "")) == expected


def test_an_empty_line_parts_what_has_no_full_stop() -> None:
    """Catches a heading that is read as the start of the paragraph below it."""
    assert marked("BACKGROUND\n \nText of it") == "BACKGROUND|Text of it"


@pytest.mark.parametrize(
    "expected",
    [
        "目的探讨疗效。|方法选取患者！|结果如何？|结论良好。",
        "他说：“很好。”|然后走了；再来，不停。",
        "（见图1。）|另见图2。",
        "1.高热。|2.咳嗽。",
        "剂量为每小时0.8～1mg/kg，染色体16q24.3。|体温38．5℃。",
        "差异有统计学意义（P＜0.05）.|结论该药有效.|可推广．|完。",
        "P＜0.05.|结论有效。",
        "如H.pylori、E.coli和P.vivax等。",
        "图A.和侧位片",
        "流感（？）病毒感染。",
        "有效！！|真的吗？！|是……的。",
        "包括：1.高热；2.低热。",
    ],
)
def test_chinese(expected: str) -> None:
    """Catches the loss of Chinese full stops, and breaks after item numbers, in decimals and in species names."""
    assert marked(expected.replace(BAR, "")) == expected


@pytest.mark.parametrize(
    "expected",
    [
        "患儿诉“腹痛。呕吐两次。”|收住院；家属否认“外伤？中毒？”|后离开。",
        "两组（男20例。女30例（均已婚）。略）可比。|完。",
        "参照《诊断标准。2019年版》及《药典。》执行。|完。",
        "医生说：“好转。”，随后出院。|完。",
        "血压下降.|IL-6水平降低.|p53无变化。|一.TNF-α。",
        "口服 50 mg. 随后停药，体温38. 5℃。|完。",
    ],
)
def test_what_belongs_together_in_chinese(expected: str) -> None:
    """Catches quotations, brackets and titles cut at a full stop inside them, and glued or slipped full stops."""
    assert marked(expected.replace(BAR, "")) == expected


def test_a_long_quotation_is_parted() -> None:
    """Catches one lost closing mark, or a page in quotation marks, that would join all sentences up to it."""
    inside = "患者" * (MAX_ENCLOSED // 2)
    assert marked(f"他说“{inside}。好。”完") == f"他说“{inside}。|好。”|完"
    assert marked("他说“头痛。再来。") == "他说“头痛。|再来。"


def test_ends_stand_before_the_blanks() -> None:
    """Catches ends that swallow the gap: offsets would then depend on how many blanks follow."""
    assert sentence_ends("One.  Two.") == [4, 10]
