"""Tagging units: they cover the text, and tags can stand where entities have their edges."""

from pathlib import Path

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.evaluation.corpora import read_corpus
from bioner_core.tagging.render import align
from bioner_core.text.units import MAX_LETTERS, core_spans, estimate_tokens, split_units

PIECES = ("ab", " ", "  ", " cd", "x" * 50, "1", " 2", "病", " 肺", "\u0301", "\n", "[", " -", "α", "\ud800")
texts = st.lists(st.one_of(st.sampled_from(PIECES), st.text(st.characters(), max_size=4)), max_size=15).map("".join)


def pieces(text: str) -> list[str]:
    """The units of a text as texts."""
    return [text[unit.start : unit.end] for unit in split_units(text)]


@given(texts)
def test_units_cover_the_text_without_gap(text: str) -> None:
    """Would catch a character that belongs to no unit, or to two: it could not be copied."""
    assert "".join(pieces(text)) == text
    units = split_units(text)
    assert all(unit.start <= unit.core < unit.end for unit in units)
    assert [unit.start for unit in units[1:]] == [unit.end for unit in units[:-1]]


@given(texts)
def test_spans_without_units_are_those_of_the_units(text: str) -> None:
    """Catches a fast way to the tokens that cuts elsewhere than the units do."""
    assert core_spans(text) == [(unit.core, unit.end) for unit in split_units(text)]


@given(texts)
def test_only_letters_share_a_unit(text: str) -> None:
    """Would catch digits, CJK characters or marks glued together, where an entity may have an edge."""
    for unit in split_units(text):
        core = text[unit.core : unit.end]
        if len(core) > 1:
            # By regex, whose Unicode data may be newer than Python's.
            assert regex.fullmatch(r"\p{L}+", core)
            assert len(core) <= MAX_LETTERS


@given(texts)
def test_only_one_blank_is_attached_and_only_before(text: str) -> None:
    """Would catch two blanks in one unit, or a blank behind a word, where spans could not end."""
    for unit in split_units(text):
        assert unit.core - unit.start in (0, 1)
        if unit.core > unit.start:
            assert text[unit.start] == " "
            assert text[unit.core] != " "


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" ", [" "]),
        ("a  b ", ["a", " ", " b", " "]),
        ("IL-12 gene", ["IL", "-", "1", "2", " gene"]),
        ("肺炎 和", ["肺", "炎", " 和"]),
        ("ひらカタ", ["ひ", "ら", "カ", "タ"]),
        ("TNFα和β", ["TNFα", "和", "β"]),
        ("e\u0301a", ["e", "\u0301", "a"]),
        ("a\n b", ["a", "\n", " b"]),
        (" \nx", [" \n", "x"]),
        ("x" * (MAX_LETTERS + 1), ["x" * MAX_LETTERS, "x"]),
        ("²Ⅱ٣", ["²", "Ⅱ", "٣"]),
    ],
)
def test_units_of_known_texts(text: str, expected: list[str]) -> None:
    """Would catch a silent change of the units, on which every trained model depends."""
    assert pieces(text) == expected


@given(texts)
def test_every_unit_costs_at_least_one_token(text: str) -> None:
    """Would catch a budget that a long run of odd characters passes for free."""
    assert estimate_tokens(text) >= len(split_units(text))


def test_estimate_grows_with_letters() -> None:
    """Would catch a long word that counts as one token."""
    assert estimate_tokens("x" * 40) == 10
    assert estimate_tokens("一二三 12") == 5


def test_ten_genia_entities_have_an_edge_inside_a_unit(shared_folder: Path) -> None:
    """Would catch units that are coarser than the gold entities: each such entity can never be found."""
    unaligned = total = 0
    for record in read_corpus(shared_folder / "data" / "genia" / "train.jsonl.gz"):
        names = tuple({span.type for span in record.spans})
        alignment = align(record.spans, split_units(record.text), type_names=names)
        total += len(record.spans)
        unaligned += len(alignment.unaligned)
    assert (unaligned, total) == (10, 46_203)
