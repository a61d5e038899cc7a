"""Examples: what the loss looks at is what the decoder will decide."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.mentions import Span
from bioner_core.tagging.moves import CLOSE, COPY, MAX_DEPTH, Move, TagState, opened_type, spans_of
from bioner_core.tagging.render import text_spans
from bioner_core.tagging.scheme import TagScheme, copy_lines, render
from bioner_core.text.units import split_units
from bioner_core.training.examples import TaggingExample
from tests.bioner_core.tagging.tagging_samples import any_text, unit_spans
from tests.bioner_core.tiny_model import TYPES, tiny_vocabulary
from tests.bioner_core.training.training_samples import LABEL_SET, builder_of, prompt_of

VOCABULARY = tiny_vocabulary()


def tokens_of(move: Move, state: TagState, unit_ids: list[tuple[int, ...]]) -> tuple[int, ...]:
    """What a move writes, told apart from the code under test."""
    if move == COPY:
        return unit_ids[state.position]
    return (VOCABULARY.close_id if move == CLOSE else VOCABULARY.open_id(TYPES[opened_type(move)]),)


def replay(example: TaggingExample, text: str, separator: tuple[int, ...]) -> list[Move]:
    """Walk through an example: at a choice take its move, else the only legal one; check each token on the way."""
    unit_ids = VOCABULARY.unit_ids(text)
    count = len(unit_ids)
    lead = [token for unit in unit_ids for token in unit] + list(separator)
    assert list(example.input_ids[: len(lead)]) == lead
    at, left, state, moves = len(lead), list(example.choices), TagState(), []
    while not state.is_finished(count):
        legal = state.legal_moves(count, example.type_indices)
        if len(legal) > 1:
            choice = left.pop(0)
            assert choice.index == at - 1
            assert choice.move in legal
            assert (choice.may_close, choice.may_open) == (CLOSE in legal, state.may_open(count))
            moves.append(choice.move)
        else:
            moves.append(legal[0])
        written = tokens_of(moves[-1], state, unit_ids)
        assert example.input_ids[at : at + len(written)] == written
        at += len(written)
        state = state.after(moves[-1])
    assert not left
    assert at == len(example.input_ids)
    return moves


@given(any_text, st.data(), st.sampled_from(list(TagScheme)))
def test_choices_and_forced_moves_tell_the_gold_copy(text: str, data: st.DataObject, scheme: TagScheme) -> None:
    """Would catch a choice one token off, a missing or a forced one, or tokens that decoding would not write."""
    units = split_units(text)
    gold = text_spans(data.draw(unit_spans(len(units))), units, type_names=LABEL_SET.type_names)
    examples = builder_of(scheme).examples(text, frozenset(gold))
    rendered = render(gold, units, type_names=LABEL_SET.type_names, scheme=scheme)
    for example, moves, separator in zip(examples, rendered.moves, prompt_of(scheme).separators, strict=True):
        assert replay(example, text, separator) == list(moves)


@pytest.mark.parametrize("scheme", list(TagScheme))
def test_each_line_holds_its_own_types(scheme: TagScheme) -> None:
    """Would catch a line that is trained on the entities of another type."""
    gold = frozenset({Span(0, 1, "ALPHA"), Span(0, 3, "GAMMA")})
    examples = builder_of(scheme).examples("a b", gold)
    assert [one.type_indices for one in examples] == [line.type_indices for line in copy_lines(scheme, len(TYPES))]
    for example, separator in zip(examples, prompt_of(scheme).separators, strict=True):
        found = {span.type_index for span in spans_of(replay(example, "a b", separator), 2)}
        assert found == {0, 2} & set(example.type_indices)
    assert {one.label_set for one in examples} == {"tiny"}


def test_at_the_depth_cap_closing_is_still_a_choice() -> None:
    """Would catch a choice between copying and closing that the loss never sees."""
    text = "".join("abcdefgh"[:1] + str(index) for index in range(4))
    gold = frozenset(Span(0, end, "ALPHA") for end in range(2, MAX_DEPTH + 2))
    (example, *_) = builder_of(TagScheme.LINES).examples(text, gold)
    assert any(choice.may_close and not choice.may_open for choice in example.choices)
    replay(example, text, prompt_of(TagScheme.LINES).separators[0])
