"""The two decoders: the reference defines what is right, the drafted one must say the same."""

import gc
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bioner_core.decoding.cache import RaggedCache
from bioner_core.decoding.drafted import DraftedDecoder
from bioner_core.decoding.reference import ReferenceDecoder
from bioner_core.decoding.rows import DecodedRow
from bioner_core.errors import ConfigurationError
from bioner_core.models.tagging_model import TaggingModel
from bioner_core.tagging.moves import COPY, FIRST_OPEN, spans_of
from tests.bioner_core.tiny_model import row_of, tiny_label_set, tiny_model

SENTENCES = [
    "IL-2 gene",
    "Activation of the [CD28] receptor.",
    "肺病 and NF-kappa B, 12 x",
    "a",
    " ",
    "x" * 60,
    "one two three four five six seven eight nine ten",
]
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=24)


@pytest.fixture(scope="module", params=[0, 1, 2])
def model(request: pytest.FixtureRequest) -> TaggingModel:
    """Small random models."""
    return tiny_model(request.param)


def assert_same(one: DecodedRow, other: DecodedRow) -> None:
    """The same moves, from the same numbers."""
    assert one.moves == other.moves
    torch.testing.assert_close(one.margins, other.margins, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(one.states, other.states, atol=1e-3, rtol=1e-3)


def test_drafted_equals_reference_on_a_mixed_batch(model: TaggingModel) -> None:
    """Would catch a draft accepted past its first wrong decision, or a stale cache slot that attention still sees."""
    rows = [row_of(text) for text in SENTENCES]
    reference = ReferenceDecoder(model).decode(rows, tiny_label_set())
    drafted = DraftedDecoder(model).decode(rows, tiny_label_set())
    for one, other in zip(reference, drafted, strict=True):
        assert_same(one, other)
    assert any(move != COPY for row in reference for move in row.moves), "the model never tags: the test is blind"


@settings(max_examples=40)
@given(st.lists(texts, min_size=1, max_size=5), st.integers(0, 7), st.integers(1, 40))
def test_drafted_equals_reference_on_any_text(some: list[str], seed: int, window: int) -> None:
    """Would catch a unit, a character or a nesting that only one of the decoders handles."""
    network = tiny_model(seed)
    rows = [row_of(text) for text in some]
    reference = ReferenceDecoder(network).decode(rows, tiny_label_set())
    drafted = DraftedDecoder(network, window=window).decode(rows, tiny_label_set())
    for one, other in zip(reference, drafted, strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("decoder_class", [ReferenceDecoder, DraftedDecoder])
def test_answers_do_not_depend_on_batch_order_or_padding(
    model: TaggingModel, decoder_class: type[ReferenceDecoder] | type[DraftedDecoder]
) -> None:
    """Would catch padding that leaks into attention, or results that come back in the order of finishing."""
    rows = [row_of(text) for text in SENTENCES]
    decoder = decoder_class(model)
    together = decoder.decode(rows, tiny_label_set())
    backwards = decoder.decode(rows[::-1], tiny_label_set())[::-1]
    alone = [decoder.decode([row], tiny_label_set())[0] for row in rows]
    for first, second, third in zip(together, backwards, alone, strict=True):
        assert_same(first, second)
        assert_same(first, third)


@pytest.mark.parametrize("decoder_class", [ReferenceDecoder, DraftedDecoder])
def test_output_is_a_legal_copy(
    model: TaggingModel, decoder_class: type[ReferenceDecoder] | type[DraftedDecoder]
) -> None:
    """Would catch a lost unit, an unbalanced tag, or states that do not line up with the moves."""
    rows = [row_of(text) for text in SENTENCES]
    for row, decoded in zip(rows, decoder_class(model).decode(rows, tiny_label_set()), strict=True):
        spans_of(decoded.moves, len(row.unit_ids))
        assert sum(move == COPY for move in decoded.moves) == len(row.unit_ids)
        assert len(decoded.margins) == len(decoded.moves)
        assert len(decoded.states) == len(decoded.moves) + 1


def test_a_line_opens_only_its_own_types(model: TaggingModel) -> None:
    """Would catch the `lines` scheme tagging another line's type."""
    rows = [row_of(text, type_indices=(1,)) for text in SENTENCES]
    for row, decoded in zip(rows, DraftedDecoder(model).decode(rows, tiny_label_set()), strict=True):
        assert {span.type_index for span in spans_of(decoded.moves, len(row.unit_ids))} <= {1}


def test_prompts_of_label_sets_do_not_mix(model: TaggingModel) -> None:
    """Would catch a prompt cache that a decode call had grown, or that is shared between two label sets."""
    decoder = DraftedDecoder(model)
    rows = [row_of(text) for text in SENTENCES]
    before = decoder.decode(rows, tiny_label_set("Mark:"))
    decoder.decode(rows, tiny_label_set("Something else entirely:"))
    for one, other in zip(before, decoder.decode(rows, tiny_label_set("Mark:")), strict=True):
        assert_same(one, other)


def test_a_copy_without_tags_takes_one_pass() -> None:
    """Would catch a drafted decoder that re-reads what it has already confirmed."""
    model = tiny_model()
    with torch.no_grad():
        model.move_bias.copy_(torch.tensor([1e6, 0.0, 0.0, 0.0, 0.0]))
    decoder = DraftedDecoder(model, window=60)
    decoder.decode([row_of(text) for text in SENTENCES], tiny_label_set())
    assert decoder.passes == len(SENTENCES)
    narrow = DraftedDecoder(model, window=20)
    narrow.decode([row_of("x y " * 15)], tiny_label_set())
    assert narrow.passes == 2, "30 units and one blank in windows of 20"


def test_a_window_is_at_least_one_move() -> None:
    """Would catch a decoder that never gets on."""
    with pytest.raises(ConfigurationError, match="window: 0"):
        DraftedDecoder(tiny_model(), window=0)


@pytest.mark.parametrize("decoder_class", [ReferenceDecoder, DraftedDecoder])
def test_lines_of_one_sentence_read_it_once(
    model: TaggingModel, decoder_class: type[ReferenceDecoder] | type[DraftedDecoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would catch a sentence read again for each of its lines, or a line that sees another line."""
    fed: list[int] = []
    feed = RaggedCache.feed
    monkeypatch.setattr(
        RaggedCache, "feed", lambda self, blocks: fed.append(sum(map(len, blocks))) or feed(self, blocks)
    )
    lines = [row_of(text, type_indices=(one,)) for text in SENTENCES for one in range(3)]
    decoder = decoder_class(model)
    together = decoder.decode(lines, tiny_label_set())
    read_together = sum(fed)
    fed.clear()
    alone = [decoder.decode([line], tiny_label_set())[0] for line in lines]
    for one, other in zip(together, alone, strict=True):
        assert_same(one, other)
    spared = sum(2 * len(row.source_ids) for row in lines[::3])
    assert sum(fed) - read_together == spared - len(tiny_label_set().prefix)


@pytest.mark.parametrize("decoder_class", [ReferenceDecoder, DraftedDecoder])
def test_a_bias_raises_opening_moves_alone(
    model: TaggingModel, decoder_class: type[ReferenceDecoder] | type[DraftedDecoder]
) -> None:
    """Would catch a bias of the wrong sign, one that closing or copying gets too, and one that a decoder forgets."""
    row, decoder = row_of("IL-2 gene"), decoder_class(model)

    def decoded(bias: float) -> DecodedRow:
        return decoder.decode([row], replace(tiny_label_set(), open_bias=bias))[0]

    assert decoded(1e6).moves[0] >= FIRST_OPEN
    assert set(decoded(-1e6).moves) == {COPY}
    plain, raised = decoded(-1e6), decoded(-1e6 + 64)
    assert raised.moves == plain.moves
    drop = plain.margins[0] - raised.margins[0]
    assert drop.item() == pytest.approx(64, abs=1), "the best rival of a copy is an opening move"


def test_an_empty_batch_is_an_empty_answer(model: TaggingModel) -> None:
    """Would catch a crash on a shard without sentences."""
    assert DraftedDecoder(model).decode([], tiny_label_set()) == []
    assert ReferenceDecoder(model).decode([], tiny_label_set()) == []


@pytest.mark.parametrize("window", [16, 256])
def test_what_is_kept_of_a_pass_does_not_hold_all_of_it(window: int) -> None:
    """Would catch kept states that are views of each pass's whole tensor: 2 to 6.5 MB held for 0.4 that are needed."""
    network = tiny_model(1)
    with torch.no_grad():
        network.move_bias.copy_(torch.tensor([0.3, 0.0, 0.0, 0.0, 0.0]))  # it tags often, so that drafts are in vain
    width, held = network.hidden_size, [0]

    def look(*_: object) -> None:
        gc.collect()
        found = (one for one in gc.get_objects() if type(one) is torch.Tensor)
        states = [one for one in found if one.ndim == 2 and one.shape[1] == width]
        storages = {one.untyped_storage().data_ptr(): one.untyped_storage().nbytes() for one in states}
        held.append(sum(storages.values()))

    rows = [row_of(f"IL-2 gene in T cells {number} " * 2) for number in range(8)]
    decoder = DraftedDecoder(network, window=window)
    decoder.decode(rows, tiny_label_set())  # the prompt is kept from here on
    network.register_forward_pre_hook(look)
    found = decoder.decode(rows, tiny_label_set())
    needed = sum(one.states.nbytes for one in found)
    assert max(held) - held[1] <= 2 * needed
