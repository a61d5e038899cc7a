"""Abbreviations that a document defines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.document_pass.abbreviation_pairs import abbreviation_pairs, is_short_form, matched_start
from bioner_core.documents import Passage


def pairs(text: str, *known: tuple[int, int], lang: str = "en") -> list[tuple[str, str]]:
    """The pairs of one passage, whose mentions are known."""
    found = abbreviation_pairs([Passage("", "", lang, text)], known=[(0, *one) for one in known])
    return [(one.long_form, one.short_form) for one in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We saw acute kidney failure (AKF) twice.", [("acute kidney failure", "AKF")]),
        ("It is TNF (tumor necrosis factor) that", [("tumor necrosis factor", "TNF")]),
        ("use of L-nitroarginine methyl ester [L-NAME] in", [("L-nitroarginine methyl ester", "L-NAME")]),
        ("heart failure (HF, n = 7) and", [("heart failure", "HF")]),
        ("慢阻肺(chronic obstructive lung disease,COLD)患者", [("chronic obstructive lung disease", "COLD")]),
        ("慢阻肺（chronic obstructive lung disease，COLD）", [("chronic obstructive lung disease", "COLD")]),
        ("as shown before (Fig. 2) and (n = 12)", []),
        ("in mice (12 weeks) with fever (see below)", []),
        ("the first sentence. Kinases (AKF) are", []),
        ("HF (HF)", []),
        ("肺病(a CD of chronic disease,CD)", [("chronic disease", "CD")]),
        ("heart failure(HF)", [("heart failure", "HF")]),
        ("heart failure (abbreviated as HF) and", [("heart failure", "HF")]),
        ("心力衰竭(简称：heart failure, HF)", [("heart failure", "HF")]),
        ("many a very long and winding story of heart failure (HF)", [("heart failure", "HF")]),
        ("A disease (CD) is", []),
        ("the 5-HT (5-hydroxytryptamine) of", [("5-hydroxytryptamine", "5-HT")]),
        ("fever (may be) and sign (no) and cold (so)", []),
        ("the Crohn disease (Crohn disease CD) of", []),
        ("We (World Health Organization, WHO) and", [("World Health Organization", "WHO")]),
        ("heart failure (HF; n = 7)", [("heart failure", "HF")]),
        ("heart failure ( HF ) and", [("heart failure", "HF")]),
        ("HF ( heart failure ) and", [("heart failure", "HF")]),
        ("heart failure ( abbreviated as : HF ; n = 7 )", [("heart failure", "HF")]),
        ("心力衰竭（\u3000heart failure\u3000，\u3000HF\u3000）", [("heart failure", "HF")]),
        ("heart failure [\tHF\n]", [("heart failure", "HF")]),
        ("heart failure (" + " " * 130 + "HF )", [("heart failure", "HF")]),
        ("heart failure ( H )", []),
        # a word begins behind a Han character
        ("采用polymerase chain reaction(PCR)检测", [("polymerase chain reaction", "PCR")]),
        ("患者chronic heart failure（CHF）", [("chronic heart failure", "CHF")]),
        ("采用PCR（polymerase chain reaction）检测", [("polymerase chain reaction", "PCR")]),
        ("采用chain法 reaction(CR)检测", []),
        ("采用TC(TC为秒)检测", []),
        ("双链DNA(dsDNA)抗体", []),
        ("the Philadelphia chromosome (Ph')", [("Philadelphia chromosome", "Ph'")]),
        # quotes, and what introduces a short form, wherever it stands in the bracket
        ("heart failure (“HF”)", [("heart failure", "HF")]),
        ('heart failure ("HF")', [("heart failure", "HF")]),
        ("heart failure ('HF', n = 7)", [("heart failure", "HF")]),
        ("“heart failure” (HF)", [("heart failure", "HF")]),
        ("HF (“heart failure”)", [("heart failure", "HF")]),
        ("“HF” (heart failure)", [("heart failure", "HF")]),
        ("heart failure (abbreviation: HF)", [("heart failure", "HF")]),
        ("heart failure (hereafter, HF)", [("heart failure", "HF")]),
        ("心衰（heart failure，以下简称HF）", [("heart failure", "HF")]),
        ("心衰（heart failure，英文缩写为“HF”）", [("heart failure", "HF")]),
        ("心衰（“heart failure”，HF）", [("heart failure", "HF")]),
        ("心衰（“”）, heart failure (,HF)", [("heart failure", "HF")]),
    ],
)
def test_definitions_are_found(text: str, expected: list[tuple[str, str]]) -> None:
    """Catches a definition that is missed, and a bracket that is none."""
    assert pairs(text) == expected


def test_every_kind_of_definition_says_where_it_stands() -> None:
    """Catches a pair that loses its passage, one bracket that hides the next, and pairs out of the text's order."""
    texts = [
        "heart failure (HF) and acute kidney failure (AKF).",
        "It is TNF (tumor necrosis factor); a [World Health Organization, WHO] one; 肾病（DN）.",
    ]
    han = texts[1].index("肾病")
    passages = [Passage("", "", "en", text) for text in texts]
    found = abbreviation_pairs(passages, known=[(1, han, han + 2)])
    assert [(one.passage_index, one.short_form, one.long_form) for one in found] == [
        (0, "HF", "heart failure"),
        (0, "AKF", "acute kidney failure"),
        (1, "TNF", "tumor necrosis factor"),
        (1, "WHO", "World Health Organization"),
        (1, "DN", "肾病"),
    ]
    for one in found:
        text = texts[one.passage_index]
        assert text[one.short_start : one.short_end] == one.short_form
        assert text[one.long_start : one.long_end] == one.long_form


def test_a_later_passage_that_defines_it_again_comes_after() -> None:
    """Catches the order of found short forms in place of the order of the text."""
    passages = [Passage("", "", "en", text) for text in ("x", "TNF (tumor necrosis factor) and heart failure (HF)")]
    found = abbreviation_pairs(passages)
    assert [one.short_start for one in found] == sorted(one.short_start for one in found)
    assert [one.passage_index for one in found] == [1, 1]


def test_a_long_form_reaches_back_by_its_letters_alone() -> None:
    """Catches a window of words that follows no rule: five more than letters, and at most twice as many."""
    assert pairs("antigen a a a antigen one two three (AT)") == [("antigen one two three", "AT")]
    assert pairs("antigen one two three four (AT)") == []
    far = "alpha " + "of " * 6 + "beta gamma delta epsilon zeta (ABGDEZ)"
    assert pairs(far) == []
    assert pairs(far.replace("of ", "", 1)) == [(far.replace("of ", "", 1).partition(" (")[0], "ABGDEZ")]


def test_a_chinese_term_needs_a_mention_to_delimit_it() -> None:
    """Catches a long form that is cut anywhere in a sentence without blanks."""
    text = "本组患者均有糖尿病肾病（DN）表现"
    assert pairs(text, lang="zh") == []
    assert pairs(text, (6, 11), lang="zh") == [("糖尿病肾病", "DN")]


@pytest.mark.parametrize(
    ("text", "long_form", "short_form"),
    [
        ("血清白细胞介素-6(IL-6)升高", "白细胞介素-6", "IL-6"),
        ("肿瘤坏死因子-α（TNF-α）", "肿瘤坏死因子-α", "TNF-α"),
        ("维生素D（VD）", "维生素D", "VD"),
        ("β-淀粉样蛋白42(Aβ42)沉积", "β-淀粉样蛋白42", "Aβ42"),
        ("诊断为“维生素D”（VD）", "维生素D", "VD"),
    ],
)
def test_a_chinese_term_may_end_in_a_letter_or_a_digit(text: str, long_form: str, short_form: str) -> None:
    """Catches a Chinese name that is read as an English one for its last character, and is then no long form."""
    start = text.index(long_form)
    assert pairs(text, (start, start + len(long_form)), lang="zh") == [(long_form, short_form)]
    assert pairs(text, lang="zh") == []


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("HF", True),
        ("H", False),
        ("5-HT", True),
        ("123", False),
        ("tPA", True),
        ("abcde", True),
        ("abcdef", False),
        ("abcdeF", True),
        ("ABCDEFGHIJKLM", False),
        ("ABCDEFGHIJKL", True),
        ("HBV DNA", True),
        ("见图", False),
    ],
)
def test_what_can_be_a_short_form(text: str, is_one: bool) -> None:
    """Catches a plain word, a number or a sentence that passes for an abbreviation, and lengths that are off by one."""
    assert is_short_form(text) == is_one


@pytest.mark.parametrize(
    ("term", "short", "start"),
    [
        ("acute kidney failure", "AKF", 0),
        ("an acute kidney failure", "AKF", 3),
        ("lipo-protein", "LP", 0),
        ("tissue plasminogen activator", "t-PA", 0),
        ("kidney", "K2", None),
        ("akf", "AKF", 0),
        ("xakf", "AKF", None),
        ("", "AKF", None),
    ],
)
def test_where_the_long_form_begins(term: str, short: str, start: int | None) -> None:
    """Catches a first letter inside a word, letters out of order, and marks that count as letters."""
    assert matched_start(term, short) == start


def test_the_first_definition_counts() -> None:
    """Catches a short form with two long forms, of which one is anybody's guess."""
    text = "heart failure (HF) and, later, hay fever (HF)."
    assert pairs(text) == [("heart failure", "HF")]


@given(st.text(alphabet="ab(（)）AB ,，.Fig肾病[]\u3000", max_size=60))
def test_offsets_always_hold_their_text(text: str) -> None:
    """Catches offsets that are off by a blank or a bracket, and a text that breaks the rules."""
    for one in abbreviation_pairs([Passage("", "", "en", text)]):
        assert text[one.long_start : one.long_end] == one.long_form == one.long_form.strip()
        assert text[one.short_start : one.short_end] == one.short_form == one.short_form.strip()
        assert one.long_form != one.short_form


OUTSIDE = st.sampled_from(["HF", "heart failure", "Heart failure", "慢阻肺", "WHO", "the", ". We", ""])
INSIDE = st.sampled_from(["HF", "heart failure", "World Health Organization", "WHO", "i.e.", "简称：", "n = 7", "a"])
BLANKS = st.text(" \t\u00a0\u3000", max_size=3)
BRACKETS = st.sampled_from(["()", "（）", "[]"])


@st.composite
def spaced_definitions(draw: st.DrawFn) -> tuple[str, str]:
    """A text with brackets, and the same text with blanks at their inner edges and about the commas in them."""
    plain = spaced = ""
    for opening, closing in [*draw(st.lists(st.sampled_from(["()", "（）"]), max_size=2)), draw(BRACKETS)]:
        before, parts = draw(OUTSIDE), draw(st.lists(INSIDE, min_size=1, max_size=3))
        comma = draw(st.sampled_from([",", "，", "; "]))
        plain += f"{before} {opening}{comma.join(parts)}{closing} "
        wide = comma.join(draw(BLANKS) + part + draw(BLANKS) for part in parts)
        spaced += f"{before} {opening}{wide}{closing} "
    return plain, spaced


@given(spaced_definitions())
def test_blanks_inside_brackets_change_nothing(texts: tuple[str, str]) -> None:
    """Catches a short form that is cut one letter short where a tokenised corpus writes `( COPD )`, a long form that
    ends with a blank, and definitions that are lost."""
    found = []
    for text in texts:
        known = [(0, place, place + 3) for place in range(len(text)) if text.startswith("慢阻肺", place)]
        one_text = abbreviation_pairs([Passage("", "", "en", text)], known=known)
        found.append([("".join(one.long_form.split()), one.short_form) for one in one_text])
        for one in one_text:
            assert text[one.long_start : one.long_end] == one.long_form
            assert text[one.short_start : one.short_end] == one.short_form
    assert found[0] == found[1]


def test_of_several_mentions_before_a_bracket_the_longest_is_the_long_form() -> None:
    """Catches a long form that depends on the order in which mentions are given: a store's come by where they begin."""
    text = "有糖尿病肾病（DN）表现"
    assert pairs(text, (1, 6), (4, 6), lang="zh") == pairs(text, (4, 6), (1, 6), lang="zh") == [("糖尿病肾病", "DN")]


def test_brackets_of_a_long_passage_are_looked_at_once_each() -> None:
    """Catches work that grows with the square of a passage (here that would take an hour), and offsets that slip."""
    text = "a heart failure case (see 7 here). " * 40_000 + "chronic heart failure (CHF), or not"
    [pair] = abbreviation_pairs([Passage("body", "", "en", text)])
    assert (pair.long_form, pair.short_form) == ("chronic heart failure", "CHF")
    assert text[pair.long_start : pair.long_end] == pair.long_form
    assert text[pair.short_start : pair.short_end] == pair.short_form
