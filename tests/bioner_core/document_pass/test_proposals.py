"""What a document says of its names: scores, votes and edges, one by one."""

import math
from dataclasses import replace

import pytest

from bioner_core.document_pass.finish import finish_document
from bioner_core.document_pass.occurrences import occurrences
from bioner_core.document_pass.settings import WEIGHTS, RepeatFacts, features, probability
from bioner_core.mentions import Mention
from tests.bioner_core.document_pass.document_samples import accepted, document, mention


def proposed(text: str, *mentions: Mention, score: float = 0.0) -> list[tuple[str, int, float, float, bool]]:
    """What the document adds: text, start, tag score, selector score, and whether it is accepted."""
    found = finish_document(document(text), mentions, scorer=lambda _: score).mentions
    return [
        (one.text, one.start, one.tag_score, one.selector_score, one.accepted)
        for one in found
        if one.origin != "decoder"
    ]


@pytest.mark.parametrize(
    ("name", "text", "starts"),
    [
        ("fever", "Fever, fevers, hay-fever and fever", [0, 19, 29]),
        ("fever", "\u0130zmir: Fever, fevers, a2fever and fever", [7, 34]),
        ("fever", "\u0130 fever", [2]),
        ("COLD", "Cold or COLD", [8]),
        ("cold", "Cold or cold", [8]),
        ("\u53d1\u70ed", "\u65e0\u53d1\u70ed\u75c7\u72b6", [1]),
        ("aa", "aaaa aa", [5]),
    ],
)
def test_a_name_is_found_between_word_edges(name: str, text: str, starts: list[int]) -> None:
    """Catches a name inside a longer word, also where a letter's lower case has another length, and case that is lost
    or kept where it should not be."""
    assert [start for start, _ in occurrences(name, text)] == starts
    assert all(text[start:end].lower() == name.lower() for start, end in occurrences(name, text))


@pytest.mark.parametrize(
    ("text", "name", "repeats"),
    [
        ("Iron and Fe and iron.", "Iron", 0),  # four letters keep their case
        ("Ca2+ and Ca2+.", "Ca2+", 1),
        ("PEG and PEG.", "PEG", 1),
        ("Pb and Pb.", "Pb", 0),
        ("1234 and 1234.", "1234", 0),
        ("\u70ed\u4e0e\u70ed\u3002", "\u70ed", 0),
        ("\u53d1\u70ed\u4e0e\u53d1\u70ed\u3002", "\u53d1\u70ed", 1),
    ],
)
def test_short_names_and_numbers_are_not_repeated(text: str, name: str, repeats: int) -> None:
    """Catches an abbreviation of two letters, or a number, that is marked all over a document."""
    doc = document(text)
    assert len(proposed(text, mention(doc, name, "T"), score=0.9)) == repeats


def test_a_repeat_has_the_mean_of_the_tag_scores_and_the_score_that_it_was_given() -> None:
    """Catches sums in the place of means, and scores that are rounded to nothing."""
    text = "Aspirin, aspirin and aspirin."
    doc = document(text)
    marked = [replace(mention(doc, "Aspirin", "Chemical", nth=number), tag_score=3.0 + number) for number in (0, 1)]
    assert proposed(text, *marked, score=0.123_456_789) == [("aspirin", 21, 3.5, 0.123_457, False)]
    assert proposed(text, *marked, score=0.5) == [("aspirin", 21, 3.5, 0.5, True)]


def test_an_abbreviation_has_the_means_of_its_models() -> None:
    """Catches a short form under the type of a minority, with the sum of the scores, or with none."""
    text = "Acute kidney failure (AKF). Acute kidney failure. Acute kidney failure."
    doc = document(text)
    marked = [
        replace(mention(doc, "Acute kidney failure", "Disease", nth=number, score=0.6 + number / 10), tag_score=number)
        for number in (0, 1)
    ]
    stray = replace(mention(doc, "Acute kidney failure", "Test", nth=2, score=0.9), tag_score=9.0)
    assert ("AKF", 22, 0.5, 0.65, True) in proposed(text, *marked, stray)
    assert ("AKF", 22, "Disease", "abbreviation") in accepted(doc, *marked, stray)


def test_a_long_form_stays_a_candidate_where_only_its_short_form_was_seen() -> None:
    """Catches a long form that its short form alone makes a mention, and one that is not even proposed."""
    text = "Acute kidney failure (AKF) is bad."
    doc = document(text)
    assert proposed(text, mention(doc, "AKF", "Disease", score=0.9)) == [
        ("Acute kidney failure", 0, 5.0, round(0.9 * 0.49, 6), False)
    ]


@pytest.mark.parametrize(("often", "marked", "follows"), [(5, 0, True), (6, 1, False), (8, 1, False), (8, 2, True)])
def test_a_short_form_follows_unless_it_was_seen_often_and_hardly_ever_marked(
    often: int, marked: int, follows: bool
) -> None:
    """Catches limits that are off by one: six times seen, and a quarter of them marked."""
    text = "Acute kidney failure (AKF). " + "AKF is here. " * (often - 1)
    doc = document(text)
    short = [mention(doc, "AKF", "Disease", nth=number) for number in range(marked)]
    found = proposed(text, mention(doc, "Acute kidney failure", "Disease"), *short)
    assert len(found) == often - marked
    assert {one[-1] for one in found} == {follows}
    assert {one[3] for one in found} == {0.9 if follows else round(0.9 * 0.49, 6)}


def test_the_second_abbreviation_of_a_document_counts_too() -> None:
    """Catches a search that ends with the first definition."""
    text = "Acute kidney failure (AKF) and chronic heart failure (CHF)."
    doc = document(text)
    marked = [mention(doc, name, "Disease") for name in ("Acute kidney failure", "chronic heart failure")]
    assert {one[0] for one in proposed(text, *marked)} == {"AKF", "CHF"}


def test_of_two_types_at_one_place_the_winner_stays_once() -> None:
    """Catches two accepted mentions of one type at one place, after the other type has lost the vote."""
    text = "Sodium and sodium and sodium and sodium."
    doc = document(text)
    mentions = [mention(doc, "Sodium", "Chemical", nth=number) for number in range(4)]
    both = mention(doc, "Sodium", "Disease", nth=3)
    for given in ([*mentions, both], [both, *mentions]):
        found = finish_document(doc, given, scorer=lambda _: 0.0).mentions
        last = [(one.type, one.accepted, one.origin) for one in found if one.start == both.start]
        assert sorted(last) == [("Chemical", True, "decoder"), ("Disease", False, "decoder")]


def test_a_name_that_won_takes_its_place_with_the_decoder_s_score() -> None:
    """Catches a mention of the winning type whose score is lost."""
    text = "Sodium and sodium and sodium and sodium."
    doc = document(text)
    mentions = [mention(doc, "Sodium", "Chemical", nth=number) for number in range(3)]
    stray = replace(mention(doc, "Sodium", "Disease", nth=3, score=0.7), tag_score=1.5)
    assert proposed(text, *mentions, stray) == [("sodium", 33, 1.5, 0.7, True)]


def test_the_likeliness_of_a_repeat_is_a_logistic_of_what_the_document_shows() -> None:
    """Catches a feature that counts twice or not at all, and a curve that is no probability."""
    facts = RepeatFacts("TNFa", accepted=3, occurrences=4, mean_score=0.8, turned_down=True)
    assert features(facts) == (1.0, 0.75, math.log(3), 0.8, math.log(4), 1.0, 1.0)
    assert features(RepeatFacts("tumor" * 20, 1, 0, 0.5, False)) == (1.0, 1.0, 0.0, 0.5, math.log(40), 0.0, 0.0)
    assert features(RepeatFacts("aB", 1, 1, 0.5, False))[5] == 1.0
    total = sum(weight * value for weight, value in zip(WEIGHTS, features(facts), strict=True))
    assert probability(facts) == pytest.approx(1 / (1 + math.exp(-total)))
    assert probability(facts, (0.0,) * 7) == 0.5
    with pytest.raises(ValueError, match="argument"):
        probability(facts, (1.0,))
