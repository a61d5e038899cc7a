"""The loss: the likelihood of the gold moves among the legal ones, nothing else."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bioner_core.mentions import Span
from bioner_core.models.tagging_model import MoveWeights, TaggingModel
from bioner_core.tagging.moves import CLOSE, COPY, FIRST_OPEN, open_move
from bioner_core.tagging.scheme import TagScheme
from bioner_core.training.batches import LENGTH_STEP
from bioner_core.training.examples import Choice, TaggingExample
from bioner_core.training.loss import LegalMoveLoss, training_batch
from tests.bioner_core.tiny_model import tiny_model
from tests.bioner_core.training.training_samples import SENTENCES, builder_of, prompt_of

CPU = torch.device("cpu")
OPEN_ROWS = (0, 1, 2)


class FixedModel(nn.Module):
    """Stands in for a network: its move logits are given."""

    def __init__(self, logits: list[list[float]]) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(logits))

    def forward(self, ids: Tensor, **_: Any) -> Tensor:
        """Hidden states that say nothing."""
        return torch.zeros(*ids.shape, 1)

    def move_weights(self, open_rows: Tensor, definitions: Tensor | None) -> MoveWeights:
        """Nothing that is read."""
        assert definitions is None
        return MoveWeights(self.logits, self.logits)

    def move_logits(self, hidden: Tensor, weights: MoveWeights) -> Tensor:
        """The given logits, one row a choice."""
        assert len(hidden) == len(self.logits)
        return self.logits


def one_example(*choices: Choice, types: tuple[int, ...] = (0, 1)) -> TaggingExample:
    """An example of six tokens with these choices."""
    return TaggingExample("tiny", (5, 6, 7, 8, 9, 10), choices, types, 3)


def run(model: nn.Module, example: TaggingExample, types: int = 2) -> Any:
    """The loss of one example."""
    batch = training_batch([example], prefix=(1, 2), open_rows=tuple(range(types)))
    return LegalMoveLoss(model)(batch)  # type: ignore[arg-type]


def test_the_loss_of_a_small_case_is_the_one_computed_by_hand() -> None:
    """Would catch a loss over all moves, over the vocabulary, or summed where it should be the mean."""
    logits = [[1.0, 9.0, 2.0, 0.0], [0.5, 1.5, -1.0, 3.0]]
    example = one_example(
        Choice(2, open_move(0), may_close=False, may_open=True), Choice(3, CLOSE, may_close=True, may_open=False)
    )
    first = -2.0 + math.log(math.exp(1.0) + math.exp(2.0) + math.exp(0.0))
    second = -1.5 + math.log(math.exp(0.5) + math.exp(1.5))
    assert float(run(FixedModel(logits), example).loss.detach()) == pytest.approx((first + second) / 2, abs=1e-6)


def test_illegal_moves_get_no_gradient() -> None:
    """Would catch training that spends itself on moves that the decoder can never make."""
    model = FixedModel([[0.3, 4.0, -0.2, 7.0]])
    example = one_example(Choice(2, COPY, may_close=False, may_open=True), types=(0,))
    run(model, example).loss.backward()
    share = math.exp(-0.2) / (math.exp(0.3) + math.exp(-0.2))
    assert model.logits.grad is not None
    torch.testing.assert_close(model.logits.grad, torch.tensor([[-share, 0.0, share, 0.0]]))


def test_counts_of_the_log_are_of_tags_only() -> None:
    """Would catch a recall or precision in the log that counts copies."""
    example = one_example(
        *(Choice(index, move, may_close=False, may_open=True) for index, move in enumerate([COPY, 2, 3, COPY]))
    )
    logits = [[9.0, 0, 0, 0], [0.0, 0, 9, 0], [0.0, 0, 9, 0], [0.0, 9, 1, 0]]
    parts = run(FixedModel(logits), example)
    counts = parts.tags
    assert (parts.terms, int(counts.gold), int(counts.predicted), int(counts.right)) == (4, 2, 3, 1)


@pytest.mark.parametrize("scheme", list(TagScheme))
def test_a_batch_scores_the_same_as_each_text_read_in_full(scheme: TagScheme) -> None:
    """Would catch padding that leaks, wrong positions after the prompt, or a prompt that rows do not see."""
    model = tiny_model(3)
    prefix = prompt_of(scheme).prefix
    builder = builder_of(scheme)
    spans = [frozenset(Span(*one) for one in spans) for _, spans in SENTENCES]
    examples = [one for (text, _), gold in zip(SENTENCES, spans, strict=True) for one in builder.examples(text, gold)]
    batch = training_batch(examples, prefix=prefix, open_rows=OPEN_ROWS)
    found = LegalMoveLoss(model)(batch)
    expected = [loss for example in examples for loss in plain_losses(model, prefix, example)]
    assert found.terms == len(expected)
    assert float(found.loss.detach()) == pytest.approx(sum(expected) / len(expected), abs=1e-4)


def plain_losses(model: TaggingModel, prefix: tuple[int, ...], example: TaggingExample) -> list[float]:
    """Loss of each choice by one plain forward pass over prompt and example, without cache, batch or padding."""
    ids = torch.tensor([[*prefix, *example.input_ids]])
    hidden = model(ids, attention_mask=torch.ones_like(ids), position_ids=torch.arange(ids.shape[1])[None], cache=None)[
        0
    ]
    logits = model.move_logits(hidden, model.move_weights(torch.tensor(OPEN_ROWS))).detach()
    losses = []
    for choice in example.choices:
        legal = [
            COPY,
            *[CLOSE] * choice.may_close,
            *[FIRST_OPEN + one for one in example.type_indices if choice.may_open],
        ]
        scores = logits[len(prefix) + choice.index][legal]
        losses.append(float(torch.logsumexp(scores, 0) - scores[legal.index(choice.move)]))
    return losses


def test_a_batch_is_padded_to_whole_steps() -> None:
    """Would catch padding that counts as text, or a copy that is taken to start elsewhere."""
    examples = [one_example(), TaggingExample("tiny", (1, 2, 3), (), (0,), 2)]
    batch = training_batch(examples, prefix=(1, 2), open_rows=(0, 1))
    assert batch.mask.sum(dim=1).tolist() == [6, 3]
    assert batch.copy_start.tolist() == [3, 2]
    assert batch.ids.shape == (2, LENGTH_STEP)
