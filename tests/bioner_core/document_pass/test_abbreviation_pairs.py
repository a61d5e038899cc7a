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
    ],
)
def test_definitions_are_found(text: str, expected: list[tuple[str, str]]) -> None:
    """Catches a definition that is missed, and a bracket that is none."""
    assert pairs(text) == expected


def test_a_chinese_term_needs_a_mention_to_delimit_it() -> None:
    """Catches a long form that is cut anywhere in a sentence without blanks."""
    text = "本组患者均有糖尿病肾病（DN）表现"
    assert pairs(text, lang="zh") == []
    assert pairs(text, (6, 11), lang="zh") == [("糖尿病肾病", "DN")]


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


@given(st.text(alphabet="ab(（)）AB ,，.Fig肾病[]", max_size=60))
def test_offsets_always_hold_their_text(text: str) -> None:
    """Catches offsets that are off by a blank or a bracket, and a text that breaks the rules."""
    for one in abbreviation_pairs([Passage("", "", "en", text)]):
        assert text[one.long_start : one.long_end] == one.long_form
        assert text[one.short_start : one.short_end] == one.short_form
        assert one.long_form != one.short_form


def test_brackets_of_a_long_passage_are_looked_at_once_each() -> None:
    """Catches work that grows with the square of a passage (here that would take an hour), and offsets that slip."""
    text = "a heart failure case (see 7 here). " * 40_000 + "chronic heart failure (CHF), or not"
    [pair] = abbreviation_pairs([Passage("body", "", "en", text)])
    assert (pair.long_form, pair.short_form) == ("chronic heart failure", "CHF")
    assert text[pair.long_start : pair.long_end] == pair.long_form
    assert text[pair.short_start : pair.short_end] == pair.short_form
