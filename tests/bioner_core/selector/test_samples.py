"""Training samples of the selector, on a small random model: right and wrong, in the model's own states."""

import random

import pytest
import torch

from bioner_core.decoding.decoder import PromptCaches
from bioner_core.decoding.drafted import DraftedDecoder
from bioner_core.decoding.prepared_label_set import PreparedLabelSet
from bioner_core.decoding.rows import DecodingRow, tag_score
from bioner_core.decoding.teacher_forced import teacher_forced_states
from bioner_core.labels.label_set import EntityType, LabelSet
from bioner_core.mentions import GoldSentence, Span
from bioner_core.selector.samples import SpanSamples, corrupt, decoded_samples, rendered_samples
from bioner_core.selector.selector import span_features
from bioner_core.tagging.moves import UnitSpan, tag_pairs
from bioner_core.tagging.render import render_moves
from tests.bioner_core.tiny_model import TYPES, row_of, tiny_label_set, tiny_model, tiny_vocabulary

SENTENCES = [
    GoldSentence("IL-2 gene of T cells", frozenset({Span(0, 4, "alpha"), Span(0, 9, "beta"), Span(13, 20, "gamma")})),
    GoldSentence("肺病 and fever", frozenset({Span(0, 2, "alpha")})),
    GoldSentence("nothing here", frozenset()),
]
SEPARATOR = tuple(tiny_vocabulary().plain_ids("\n="))


def prepared(*line_types: tuple[int, ...]) -> PreparedLabelSet:
    """The tiny label set, with these types for each line of the copy."""
    types = tuple(EntityType(name, name, en=name, zh=name, definition_en="", definition_zh="") for name in TYPES)
    label_set = LabelSet("tiny", ("en", "zh"), default=False, description="", types=types)
    return PreparedLabelSet(label_set, tiny_label_set(), (SEPARATOR,) * len(line_types), line_types)


def rendered(seed: int, batch_rows: int = 1) -> SpanSamples:
    """Samples of the three sentences."""
    model, vocabulary = PromptCaches(tiny_model()), tiny_vocabulary()
    return rendered_samples(
        SENTENCES, prepared((0, 1, 2)), prompts=model, vocabulary=vocabulary, batch_rows=batch_rows, seed=seed
    )


def test_candidates_of_the_model_are_told_right_or_wrong() -> None:
    """Would catch states, tags, scores or answers that belong to another candidate."""
    model, vocabulary = tiny_model(), tiny_vocabulary()
    decoder = DraftedDecoder(model)
    samples = decoded_samples(SENTENCES, prepared((0, 1, 2)), decoder=decoder, vocabulary=vocabulary, batch_rows=1)
    ordered = sorted(SENTENCES, key=lambda one: len(row_of(one.text).source_ids))
    features, tags, scores = [], [], []
    for sentence in ordered:
        row = row_of(sentence.text)
        (decoded,) = DraftedDecoder(model).decode([row], tiny_label_set())
        pairs = tag_pairs(decoded.moves, len(row.unit_ids))
        features.append(span_features(decoded.states, pairs))
        tags += [pair.span.type_index for pair in pairs]
        scores += [tag_score(decoded, pair) for pair in pairs]
    assert tags, "the model tags nothing: nothing was tested"
    torch.testing.assert_close(samples.features, torch.cat(features), atol=1e-3, rtol=1e-3)
    assert samples.tag.tolist() == tags
    assert samples.tag_score.tolist() == pytest.approx(scores, abs=1e-3)
    assert (samples.gold_count, samples.label_set, samples.open_rows) == (4, "tiny", (0, 1, 2))
    assert not samples.is_right.all()


def test_rendered_candidates_are_read_as_if_the_model_had_tagged_them() -> None:
    """Would catch a gold span called wrong, an almost right one called right, or states of another copy."""
    samples = rendered(seed=4)
    chooser, model = random.Random(4), tiny_model()
    gold_spans = {
        SENTENCES[0].text: [UnitSpan(0, 4, 1), UnitSpan(0, 3, 0), UnitSpan(5, 7, 2)],
        SENTENCES[1].text: [UnitSpan(0, 2, 0)],
        SENTENCES[2].text: [],
    }
    features, tags, right = [], [], []
    for sentence in sorted(SENTENCES, key=lambda one: len(row_of(one.text).source_ids)):
        row, gold = row_of(sentence.text), gold_spans[sentence.text]
        units = len(row.unit_ids)
        moves = render_moves(corrupt(gold, unit_count=units, type_count=3, chooser=chooser), units)
        (states,) = teacher_forced_states(PromptCaches(model), [row], moves=[moves], label_set=tiny_label_set())
        pairs = tag_pairs(moves, units)
        features.append(span_features(states, pairs))
        tags += [pair.span.type_index for pair in pairs]
        right += [pair.span in gold for pair in pairs]
    assert samples.tag.tolist() == tags
    assert samples.is_right.tolist() == right
    assert set(right) == {True, False}
    assert samples.tag_score.tolist() == [0.0] * len(tags)
    assert samples.gold_count == 4
    torch.testing.assert_close(samples.features, torch.cat(features), atol=1e-3, rtol=1e-3)


def test_batches_change_no_sample() -> None:
    """Would catch a sentence that is left out at the edge of a batch, or states that depend on its neighbours."""
    alone, together = rendered(seed=4), rendered(seed=4, batch_rows=3)
    assert alone.tag.tolist() == together.tag.tolist()
    assert alone.is_right.tolist() == together.is_right.tolist()
    torch.testing.assert_close(alone.features, together.features, atol=1e-3, rtol=1e-3)


def test_the_seed_decides_which_negatives_there_are() -> None:
    """Would catch samples that cannot be made again."""
    assert torch.equal(rendered(seed=4).features, rendered(seed=4).features)
    assert len({tuple(rendered(seed=seed).tag.tolist()) for seed in range(6)}) > 1


def test_each_line_has_the_gold_of_its_types() -> None:
    """Would catch gold spans counted once per line, or a line that is asked for types of another."""
    model, vocabulary = tiny_model(), tiny_vocabulary()
    decoder = DraftedDecoder(model)
    samples = decoded_samples(
        SENTENCES, prepared((0,), (1,), (2,)), decoder=decoder, vocabulary=vocabulary, batch_rows=2
    )
    assert samples.gold_count == 4
    rows = [DecodingRow(row_of(one.text).unit_ids, SEPARATOR, (kind,)) for kind in range(3) for one in SENTENCES]
    found = [
        pair.span.type_index
        for row, decoded in zip(rows, decoder.decode(rows, tiny_label_set()), strict=True)
        for pair in tag_pairs(decoded.moves, len(row.unit_ids))
    ]
    assert sorted(samples.tag.tolist()) == sorted(found)


def test_nothing_to_tag_gives_no_samples() -> None:
    """Would catch a crash on a label set without candidates, and tensors that training cannot use."""
    samples = decoded_samples(
        [], prepared((0, 1, 2)), decoder=DraftedDecoder(tiny_model()), vocabulary=tiny_vocabulary(), batch_rows=2
    )
    assert (samples.features.shape, len(samples.tag), samples.gold_count) == ((0, 0), 0, 0)
    assert not rendered(seed=4).features.is_inference()
