"""What `split_passage` promises for every text, and what it does with texts that are known."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bioner_core.documents import Passage, Sentence
from bioner_core.text.sentences import MAX_SENTENCE_TOKENS, split_passage
from bioner_core.text.units import estimate_tokens, split_units

PIECES = (
    *("The cells. ", "E. coli ", "Fig. 1 ", "i.v. ", "(p < 0.05). ", "et al. ", "IL-2 ", "kappa B. ", "1. ", "vs. "),
    *("结果", "。", "！", "；", "，", "（", "）", "”", "．", "。”", "\u3000", "[see comments] ", "cells.These "),
    *(" ", "\n", "\n\n", "\t", "\u00a0", ". ", ".", "?", "!", "(", ")", "]", "[", '"', "α", "é", "e\u0301", "𝛽"),
    *("\ud800", "\x00", "\x1c", "a" * 50, "A" * 97, "ab " * 90, "字" * 120, "(" * 210, "x;y, " * 60),
)

texts = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=80),
    st.lists(st.sampled_from(PIECES), max_size=40).map("".join),
)


def split(text: str, lang: str = "en") -> list[Sentence]:
    """The sentences of a passage that is the fourth of its document."""
    return split_passage(Passage("abstract", "", lang, text), 3)


def sentences_of(text: str, lang: str = "en") -> list[str]:
    """The texts of these sentences."""
    return [sentence.text for sentence in split(text, lang)]


@given(texts)
def test_every_visible_character_is_in_exactly_one_sentence(text: str) -> None:
    """Catches lost, doubled or reordered text, and edges that are white space."""
    found = split(text)
    covered = {i for sentence in found for i in range(sentence.start, sentence.end)}
    assert all(text[s.start : s.end] == s.text and s.text == s.text.strip() != "" for s in found)
    assert all(before.end <= after.start for before, after in pairwise(found))
    assert all(character.isspace() for i, character in enumerate(text) if i not in covered)


@given(texts, st.sampled_from(["en", "zh", "de", ""]))
def test_positions_and_language_are_handed_on(text: str, lang: str) -> None:
    """Catches an index that restarts or skips, a lost passage index, and boundaries that hang on the language tag."""
    found = split(text, lang)
    assert [sentence.index for sentence in found] == list(range(len(found)))
    assert all(sentence.passage_index == 3 and sentence.lang == lang for sentence in found)
    assert [sentence.text for sentence in found] == sentences_of(text)


@given(texts)
def test_no_sentence_is_above_the_cap(text: str) -> None:
    """Catches a long sentence that reaches the model in full."""
    assert all(estimate_tokens(sentence.text) <= MAX_SENTENCE_TOKENS for sentence in split(text))


@given(texts)
def test_no_unit_is_cut(text: str) -> None:
    """Catches a sentence edge inside a unit: the model would read other tokens there than it was trained on."""
    whole = {(unit.core, unit.end) for unit in split_units(text)}
    for sentence in split(text):
        units = split_units(sentence.text)
        assert {(sentence.start + unit.core, sentence.start + unit.end) for unit in units} <= whole


@example("(. 0", ")")
@example("（一。二", "三）四。")
@example("It (see A. Then", "B) ends. Now")
@given(texts, texts)
def test_an_empty_line_parts_texts_that_do_not_know_each_other(first: str, second: str) -> None:
    """Catches state that leaks from one paragraph into the next (an open bracket, a sentence start)."""
    assert sentences_of(f"{first}\n\n{second}") == sentences_of(first) + sentences_of(second)


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\u3000\t "])
def test_a_blank_passage_has_no_sentences(text: str) -> None:
    """Catches an empty sentence, which no annotator can take."""
    assert split(text) == []


def test_offsets_count_code_points_beyond_the_basic_plane() -> None:
    """Catches offsets in bytes or UTF-16 units."""
    text = "𝛽-Actin rose. 𝛼-Actin fell."
    assert [(s.start, s.end) for s in split(text)] == [(0, 13), (14, 27)]


@pytest.mark.parametrize(
    "pattern",
    ["(", "a", ". ", "。", "“", '。"', "A. ", "e.g. ", "(Aa. Bb) ", "[a b] A", "aaa.The", ".\n", "aa.[1,", "\ud800"],
)
def test_hostile_repetition_ends(pattern: str) -> None:
    """Catches quadratic time: with it, a text of this size would pass the test run's time limit by far."""
    text = pattern * (100_000 // len(pattern))
    found = split(text)
    assert "".join("".join(sentence.text.split()) for sentence in found) == "".join(text.split())


def test_brackets_that_stay_open_do_not_make_time_quadratic() -> None:
    """Catches a bracket count that starts again at the sentence start for every full stop."""
    text = "(" * 60_000 + " Aa. Bb)" * 7_000
    assert sum(len(sentence.text) for sentence in split(text)) > 60_000
