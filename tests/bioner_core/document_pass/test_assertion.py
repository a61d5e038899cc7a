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
    start, end = marked.index("["), marked.index("]") - 1
    assert assertion_of(marked.replace("[", "").replace("]", ""), start=start, end=end, lang=lang) == said


def test_a_hostile_sentence_costs_no_time() -> None:
    """Catches a pattern that backtracks without end."""
    assert assertion_of("no " * 1_000 + "fever", start=3_000, end=3_005, lang="en") == "negated"
    assert assertion_of("无" * 1_000 + "热", start=1_000, end=1_001, lang="zh") == "negated"
