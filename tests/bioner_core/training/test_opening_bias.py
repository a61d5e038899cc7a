"""The bias on opening tags: chosen by F1, none where it gains nothing, and at work in both decoders."""

import pytest
import torch

from bioner_core.decoding.drafted import DraftedDecoder
from bioner_core.decoding.prepared_label_set import PreparedLabelSet
from bioner_core.decoding.reference import ReferenceDecoder
from bioner_core.labels.label_set import load_label_set
from bioner_core.selector.samples import SpanSamples
from bioner_core.tagging.moves import FIRST_OPEN
from bioner_core.training.selector_candidates import tried_bias, with_bias
from tests.bioner_core.tiny_model import row_of, tiny_label_set, tiny_model


def samples(right: int, wrong: int, gold: int) -> SpanSamples:
    """Candidates of which so many are right."""
    is_right = torch.tensor([True] * right + [False] * wrong)
    count = len(is_right)
    return SpanSamples(torch.zeros(count, 3), torch.zeros(count), torch.zeros(count), is_right, {0: gold}, "x", (0,))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({0.0: (60, 20), 0.5: (70, 25), 1.0: (72, 90)}, 0.5),
        ({0.0: (700, 250), 0.5: (710, 265), 1.0: (720, 500)}, 0.0),
        ({-0.5: (700, 250), 0.5: (710, 265), 1.0: (720, 260)}, 1.0),
        ({-0.5: (500, 250), 0.0: (700, 270), 0.5: (700, 265)}, 0.0),
        ({0.0: (90, 0), 0.5: (90, 40), 1.0: (90, 80)}, 0.0),
        ({0.0: (0, 0), 0.5: (0, 0)}, 0.0),
    ],
)
def test_a_bias_must_gain_something(found: dict[float, tuple[int, int]], expected: float) -> None:
    """Would catch a bias chosen by recall alone, by precision alone, by chance, or in the order of the settings."""
    gold = 1000 if max(found.values())[0] > 100 else 100
    trial = tried_bias(list(found)[::-1], decode=lambda bias: [samples(*found[bias], gold)])
    assert trial.bias == expected


def test_corpora_of_a_label_set_choose_together() -> None:
    """Would catch a bias that the last corpus chooses, whatever it costs on the others, or a mean over corpora."""
    large, small = {0.0: (70, 20), 0.75: (70, 60)}, {0.0: (1, 0), 0.75: (4, 0)}
    for corpora in ((large, small), (small, large)):
        trial = tried_bias((0.0, 0.75), decode=lambda bias, some=corpora: [samples(*one[bias], 50) for one in some])
        assert (trial.bias, len(trial.samples)) == (0.0, 2)


def test_a_higher_bias_opens_more_tags_in_both_decoders() -> None:
    """Would catch a bias that one decoder ignores, or that moves other decisions than opening."""
    model = tiny_model(1)
    prepared = PreparedLabelSet(load_label_set("genia"), tiny_label_set(), ((1,),), ((0, 1, 2),))
    rows = [row_of(text) for text in ("Activation of the [CD28] receptor.", "IL-2 gene", "one two three four")]
    counts = []
    for bias in (-100.0, 0.0, 2.0):
        label_set = with_bias(prepared, bias).tokens
        drafted = DraftedDecoder(model).decode(rows, label_set)
        reference = ReferenceDecoder(model).decode(rows, label_set)
        assert [one.moves for one in drafted] == [one.moves for one in reference]
        counts.append(sum(move >= FIRST_OPEN for row in drafted for move in row.moves))
    assert counts[0] == 0
    assert counts[0] < counts[1] < counts[2]
