"""The training loss: likelihood of the gold moves, normalised over the legal moves only (DESIGN 4.4)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from bioner_core.decoding.cache import prefix_cache
from bioner_core.models.tagging_model import TaggingModel
from bioner_core.tagging.moves import CLOSE, COPY, FIRST_OPEN
from bioner_core.training.batches import padded_length
from bioner_core.training.examples import TaggingExample


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """One batch as tensors.

    *Shape:* prefix (prefix_length,); ids, mask (rows, length); row, column, move (choices,); legal (choices, moves),
    with moves = 2 + types; open_rows (types,), the tag index of each type.
    """

    prefix: Tensor
    ids: Tensor
    mask: Tensor
    row: Tensor
    column: Tensor
    move: Tensor
    legal: Tensor
    open_rows: Tensor

    @property
    def token_count(self) -> int:
        """Tokens of the rows, padding and prompt left out."""
        return int(self.mask.sum())


@dataclass(frozen=True, slots=True)
class LossParts:
    """Mean loss over the choices, and counts for the log: choices, gold tags, predicted tags, tags predicted right."""

    loss: Tensor
    choices: int
    gold_tags: int
    predicted_tags: int
    right_tags: int


def training_batch(
    examples: Sequence[TaggingExample], *, prefix: Sequence[int], open_rows: Sequence[int], device: torch.device
) -> TrainingBatch:
    """Pad examples of one label set to a batch."""
    length = padded_length(max(len(one.input_ids) for one in examples))
    ids = torch.zeros(len(examples), length, dtype=torch.long)
    mask = torch.zeros(len(examples), length, dtype=torch.long)
    for row, one in enumerate(examples):
        ids[row, : len(one.input_ids)] = torch.tensor(one.input_ids)
        mask[row, : len(one.input_ids)] = 1
    choices = [(row, one, choice) for row, one in enumerate(examples) for choice in one.choices]
    legal = torch.zeros(len(choices), FIRST_OPEN + len(open_rows), dtype=torch.bool)
    for index, (_, one, choice) in enumerate(choices):
        legal[index, COPY] = True
        legal[index, CLOSE] = choice.may_close
        legal[index, [FIRST_OPEN + one_type for one_type in one.type_indices]] = choice.may_open
    return TrainingBatch(
        prefix=torch.tensor(prefix, device=device),
        ids=ids.to(device),
        mask=mask.to(device),
        row=torch.tensor([row for row, _, _ in choices], device=device),
        column=torch.tensor([choice.index for _, _, choice in choices], device=device),
        move=torch.tensor([choice.move for _, _, choice in choices], device=device),
        legal=legal.to(device),
        open_rows=torch.tensor(open_rows, device=device),
    )


class LegalMoveLoss(nn.Module):
    """One training step's forward pass, as one module so that accelerate can wrap it."""

    def __init__(self, model: TaggingModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: TrainingBatch) -> LossParts:
        """Read the prompt once, the rows after it, and score the choices among their legal moves."""
        rows, length = batch.ids.shape
        cache = prefix_cache(self.model, batch.prefix)
        cache.batch_repeat_interleave(rows)
        prefix_length = len(batch.prefix)
        positions = torch.arange(prefix_length, prefix_length + length, device=batch.ids.device)
        hidden = self.model(
            batch.ids,
            attention_mask=torch.cat((batch.mask.new_ones(rows, prefix_length), batch.mask), dim=1),
            position_ids=positions.expand(rows, length),
            cache=cache,
        )
        logits = self.model.move_logits(hidden[batch.row, batch.column], batch.open_rows)
        logits = logits.masked_fill(~batch.legal, float("-inf"))
        return _parts(logits, batch.move)


def _parts(logits: Tensor, move: Tensor) -> LossParts:
    predicted = logits.detach().argmax(dim=-1)
    return LossParts(
        loss=functional.cross_entropy(logits, move),
        choices=len(move),
        gold_tags=int((move != COPY).sum()),
        predicted_tags=int((predicted != COPY).sum()),
        right_tags=int(((predicted == move) & (move != COPY)).sum()),
    )
