"""Assertion by rules, against sentences that were written before the rules."""

from collections import Counter
from pathlib import Path

import pytest

from bioner_core.document_pass.assertion import assertion_of

Case = tuple[str, str, str, int, int]


def cases() -> list[Case]:
    """Language, right value, sentence, and where its mention is."""
    found = []
    path = Path(__file__).with_name("assertion_sentences.tsv")
    for line in path.read_text(encoding="utf-8").splitlines():
        lang, value, marked = line.split("\t")
        start, end = marked.index("["), marked.index("]") - 1
        found.append((lang, value, marked.replace("[", "").replace("]", ""), start, end))
    return found


def scores(lang: str) -> tuple[float, Counter[tuple[str, str]]]:
    """Accuracy, and how often a right value got which answer."""
    answers = Counter(
        (value, assertion_of(text, start=start, end=end, lang=lang))
        for one, value, text, start, end in cases()
        if one == lang
    )
    return sum(count for (right, got), count in answers.items() if right == got) / answers.total(), answers


def test_there_are_three_hundred_sentences_in_two_languages() -> None:
    """Catches a test set that shrinks until the rules fit it."""
    assert len(cases()) >= 300
    assert min(Counter(one[0] for one in cases()).values()) >= 150
    assert min(Counter(one[:2] for one in cases()).values()) >= 15


@pytest.mark.parametrize(("lang", "least"), [("en", 0.95), ("zh", 0.95)])
def test_most_sentences_get_the_right_value(lang: str, least: float) -> None:
    """Catches a changed cue that breaks more than it corrects."""
    accuracy, answers = scores(lang)
    wrong = [
        f"{value} not {assertion_of(text, start=start, end=end, lang=lang)}: {text}"
        for one, value, text, start, end in cases()
        if one == lang and value != assertion_of(text, start=start, end=end, lang=lang)
    ]
    assert accuracy >= least, (answers, wrong)


def test_a_cue_inside_the_mention_says_nothing_of_it() -> None:
    """Catches names that hold a cue themselves."""
    assert assertion_of("Absence epilepsy is treated.", start=0, end=16, lang="en") == "present"
    assert assertion_of("无症状菌尿常见。", start=0, end=5, lang="zh") == "present"


@pytest.mark.parametrize(
    ("marked", "lang", "said"),
    [
        ("No cough but [fever].", "en", "present"),
        ("Possible cough but [fever].", "en", "present"),
        # what ends a denial alone
        ("No rash is [fever].", "en", "present"),
        ("Possible rash is [fever].", "en", "uncertain"),
        ("[Fever], which is bad, was not seen.", "en", "present"),
        ("No [fever] is here.", "en", "negated"),
        ("no " + "x" * 88 + " [cough].", "en", "negated"),
        ("no " + "x" * 89 + " [cough].", "en", "present"),
        ("[Fever]? We do not know.", "en", "uncertain"),
        ("[Fever] ? We do not know.", "en", "uncertain"),
        ("[Fever]？", "en", "uncertain"),
        ("[Fever] , ? cough.", "en", "present"),
        ("She did n't have [fever].", "en", "negated"),
        ("[发热]？", "zh", "uncertain"),
        ("[发热]\u3000？", "zh", "uncertain"),
        ("[发热] ?", "zh", "uncertain"),
        ("[发热] （ - ）", "zh", "negated"),
        ("[腹水] 未见 。", "zh", "negated"),
        ("[腹水]未见、胸水有。", "zh", "negated"),
        ("（[腹水]未见）", "zh", "negated"),
        ("[腹部]未见 腹水。", "zh", "present"),
        ("[发热]（-）", "zh", "negated"),
        ("[发热]（轻）", "zh", "present"),
    ],
)
def test_how_far_a_cue_reaches(marked: str, lang: str, said: str) -> None:
    """Catches a reach that is off by one, and ends that end nothing or all."""
    assert _asserted(marked, lang) == said


@pytest.mark.parametrize(
    ("marked", "said"),
    [
        # words in capitals are symbols, and `No.` counts
        ("Nitric oxide (NO) worsens [asthma].", "present"),
        ("NO donors cause [headache] in men.", "present"),
        ("Inhibition of the NO/cGMP pathway aggravated [hypertension].", "present"),
        ("No [fever] was there.", "negated"),
        ("NO [FEVER] WAS THERE.", "negated"),
        ("Dissection of No. 12 lymph nodes in [gastric cancer] is debated.", "present"),
        ("Patients seen in May 2010 had [influenza].", "present"),
        ("Cough may be [influenza].", "uncertain"),
        ("No WHO criterion of [sepsis] was met.", "negated"),
        # what science said before is no history
        ("We previously showed that [BRCA1] regulates repair.", "present"),
        ("As previously described, [TNF-alpha] was measured.", "present"),
        ("As described previously, [TNF-alpha] was measured.", "present"),
        ("A previously unknown mutation of [BRCA1] was found.", "present"),
        ("Previous clinical studies of [heparin] were small.", "present"),
        ("Cell death prior to [sepsis] was seen.", "present"),
        ("There are prior reports of [sepsis] in rats.", "present"),
        ("He had previously had [pneumonia].", "other"),
        ("She had a prior [stroke].", "other"),
        # kin that is none
        ("The parent drug [irinotecan] was measured.", "present"),
        ("Sister chromatid exchange was raised in [leukemia] cells.", "present"),
        ("A twin study of [schizophrenia] was performed.", "present"),
        ("Son of sevenless binds [GRB2].", "present"),
        ("The relative expression of [BRCA1] rose.", "present"),
        ("Other Rel protein family members such as [p65] were found.", "present"),
        ("A male relative had [gout].", "other"),
        ("Both parents had [gout].", "other"),
        # what is said of both, or of none
        ("Patients were more likely to have [stroke].", "present"),
        ("[Rats] are likely to drink.", "present"),
        ("[Stroke] is likely.", "uncertain"),
        ("Cells with or without [aspirin] grew.", "present"),
        ("Cells grew in the presence or absence of [aspirin].", "present"),
        ("We asked whether or not [aspirin] helps.", "uncertain"),
        ("There was no correlation between [gout] and age.", "present"),
        ("There was no [gout].", "negated"),
        ("It did not prevent [stroke].", "present"),
        ("This is consistent with our finding of [gout].", "present"),
        ("The signs are consistent with [gout].", "uncertain"),
    ],
)
def test_english_words_that_only_look_like_cues(marked: str, said: str) -> None:
    """Catches nitric oxide that denies, the work of others that is a patient's history, and cells that have kin."""
    assert _asserted(marked, "en") == said


@pytest.mark.parametrize(
    ("marked", "said"),
    [
        ("没食子酸可改善[糖尿病]大鼠症状", "present"),
        ("没有[糖尿病]", "negated"),
        ("无创通气治疗[慢阻肺]的疗效", "present"),
        ("无水乙醇注射治疗[肝癌]的疗效", "present"),
        ("无水肿、[黄疸]", "negated"),
        ("无线电波治疗[心律失常]", "present"),
        ("无机砷与[皮肤癌]", "present"),
        ("无细胞[百日咳]疫苗", "present"),
        ("无症状[高尿酸血症]患者", "present"),
        ("无症状、[体征]", "negated"),
        ("重症肌无力、[糖尿病]", "present"),
        ("无黄疸型[肝炎]", "present"),
        ("沉没成本与[抑郁]", "present"),
        ("维生素D缺乏与[骨质疏松]相关", "present"),
        ("缺乏[维生素D]的小鼠", "negated"),
        ("患者尚缺乏[抗体]", "negated"),
        ("p53基因缺失促进[肝癌]发生", "present"),
        ("[p53]在三阴性乳腺癌中高表达", "present"),
        ("[大肠杆菌]是常见的革兰阴性菌", "present"),
        ("[流感嗜血杆菌]属革兰氏阴性短杆菌", "present"),
        ("[链球菌]试验有假阴性", "present"),
        ("[抗体]阴性", "negated"),
        ("青年前臂[骨折]患者", "present"),
        ("老年前列腺[增生]患者", "present"),
        ("中年前列腺[肺癌]", "present"),
        ("三年前[肺炎]", "other"),
        ("10 年前患[肺炎]", "other"),
        ("以往曾认为[肺炎]罕见", "present"),
        ("[疟原虫]生活史", "present"),
        # a question, as 是否 is one
        ("注意有无[出血]", "uncertain"),
        ("有没有[发热]？", "uncertain"),
        ("孩子咳不咳[痰]", "uncertain"),
        ("无论有无[糖尿病]均可入选", "present"),
        ("伴或不伴[发热]", "present"),
        ("不伴[发热]", "negated"),
        ("拍片以排除[肺炎]", "uncertain"),
        ("已排除[肺炎]", "negated"),
        ("未曾出现[肺炎]", "negated"),
        ("[肺炎]的病因尚不清楚", "present"),
        ("姐妹染色单体与[白血病]", "present"),
    ],
)
def test_chinese_words_that_hold_a_cue(marked: str, said: str) -> None:
    """Catches a cue inside another word, or across the edge of two."""
    assert _asserted(marked, "zh") == said


@pytest.mark.parametrize(
    "marked", ["有[糖尿病]史10年", "[冠心病]史20年", "既往[高血压病]史", "[肺结核]病史", "[外伤]史"]
)
def test_a_cue_that_reaches_into_the_mention_hides_none_behind_it(marked: str) -> None:
    """Catches 病史, found in 糖尿病史 because it is longer, that takes 史 along when it is left out."""
    assert _asserted(marked, "zh") == "other"


def test_what_is_no_cue_and_reaches_into_the_mention_hides_none_either() -> None:
    """Catches 无症状, which denies nothing, where the mention is 症状 and 无 denies it."""
    assert _asserted("患者无[症状]且一般情况好", "zh") == "negated"
    assert _asserted("We saw no [effect of the drug] there.", "en") == "negated"


def _asserted(marked: str, lang: str) -> str:
    start, end = marked.index("["), marked.index("]") - 1
    return assertion_of(marked.replace("[", "").replace("]", ""), start=start, end=end, lang=lang)


def test_a_hostile_sentence_costs_no_time() -> None:
    """Catches a pattern that backtracks without end."""
    assert assertion_of("no " * 1_000 + "fever", start=3_000, end=3_005, lang="en") == "negated"
    assert assertion_of("无" * 1_000 + "热", start=1_000, end=1_001, lang="zh") == "negated"
    assert assertion_of("病史" * 10_000, start=0, end=1, lang="zh") == "other"
