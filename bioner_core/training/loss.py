"""The training loss: likelihood of the gold moves, normalised over the legal moves only.

Gradient checkpointing stands beside a prompt cache: each layer's inside is computed again in the backward pass.
transformers' own switch drops the cache, and with it the prompt. Here the layers run twice against a cache that they
only read.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, fields, replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from transformers import DynamicCache
from transformers.modeling_layers import GradientCheckpointingLayer

from bioner_core.errors import ConfigurationError
from bioner_core.models.tagging_model import MoveWeights, TaggingModel
from bioner_core.tagging.moves import CLOSE, COPY, FIRST_OPEN
from bioner_core.training.batches import padded_length
from bioner_core.training.examples import TaggingExample
from bioner_core.training.packing import PromptBefore, packed_rows


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """One batch as tensors.

    *Shape:* prefix (prefix_length,); ids, mask (rows, length); copy_start (rows,), the column of the first token of
    the copy; row, column, move (choices,); legal (choices, moves), with moves = 2 + types; open_rows (types,), the tag
    index of each type; definition_ends (types,), where in the prefix each type's definition ends.
    """

    prefix: Tensor
    ids: Tensor
    mask: Tensor
    copy_start: Tensor
    row: Tensor
    column: Tensor
    move: Tensor
    legal: Tensor
    open_rows: Tensor
    definition_ends: Tensor

    def to(self, device: torch.device) -> "TrainingBatch":
        """The same batch on a device."""
        return replace(self, **{one.name: getattr(self, one.name).to(device) for one in fields(self)})


@dataclass(frozen=True, slots=True)
class TagCounts:
    """How the choices of a batch came out: gold tags, predicted tags, tags predicted right, given gold history.

    Kept on the device until a log line asks for numbers: each number that is fetched waits for all the work before it.
    """

    gold: Tensor
    predicted: Tensor
    right: Tensor


@dataclass(frozen=True, slots=True)
class LossParts:
    """A loss that is the mean of `terms` terms, and counts for the log."""

    loss: Tensor
    terms: int
    tags: TagCounts


def training_batch(
    examples: Sequence[TaggingExample],
    *,
    prefix: Sequence[int],
    open_rows: Sequence[int],
    definition_ends: Sequence[int] = (),
) -> TrainingBatch:
    """Pad examples under one prompt to a batch, in the processor's memory."""
    length = padded_length(max(len(one.input_ids) for one in examples))
    ids = torch.zeros(len(examples), length, dtype=torch.long)
    mask = torch.zeros(len(examples), length, dtype=torch.long)
    for row, one in enumerate(examples):
        ids[row, : len(one.input_ids)] = torch.tensor(one.input_ids)
        mask[row, : len(one.input_ids)] = 1
    choices = [(row, choice) for row, one in enumerate(examples) for choice in one.choices]
    row_of = torch.tensor([row for row, _ in choices], dtype=torch.long)
    openable = torch.zeros(len(examples), len(open_rows), dtype=torch.bool)
    for row, one in enumerate(examples):
        openable[row, list(one.type_indices)] = True
    may_open = torch.tensor([choice.may_open for _, choice in choices], dtype=torch.bool)
    legal = torch.zeros(len(choices), FIRST_OPEN + len(open_rows), dtype=torch.bool)
    legal[:, COPY] = True
    legal[:, CLOSE] = torch.tensor([choice.may_close for _, choice in choices], dtype=torch.bool)
    legal[:, FIRST_OPEN:] = openable[row_of] & may_open.unsqueeze(1)
    return TrainingBatch(
        prefix=torch.tensor(prefix),
        ids=ids,
        mask=mask,
        copy_start=torch.tensor([one.copy_start for one in examples]),
        row=row_of,
        column=torch.tensor([choice.index for _, choice in choices], dtype=torch.long),
        move=torch.tensor([choice.move for _, choice in choices], dtype=torch.long),
        legal=legal,
        open_rows=torch.tensor(open_rows),
        definition_ends=torch.tensor(definition_ends, dtype=torch.long),
    )


class LegalMoveLoss(nn.Module):
    """One batch's forward pass: the choices among their legal moves."""

    def __init__(self, model: TaggingModel, *, recompute: bool = False) -> None:
        super().__init__()
        self.model = model
        self._recompute = recompute

    def forward(self, batch: TrainingBatch) -> LossParts:
        """Read the prompt once, the rows after it, and score the choices among their legal moves."""
        hidden, weights = read_batch(self.model, batch, recompute=self._recompute)
        logits = legal_logits(self.model, hidden, weights=weights, batch=batch)
        return LossParts(functional.cross_entropy(logits, batch.move), len(batch.move), tag_counts(logits, batch.move))

    def term_count(self, examples: Sequence[TaggingExample]) -> int:
        """How many terms the loss of a batch of these examples is a mean of."""
        return sum(len(one.choices) for one in examples)


def read_batch(model: TaggingModel, batch: TrainingBatch, *, recompute: bool) -> tuple[Tensor, MoveWeights]:
    """Hidden states of the rows after the shared prompt, which is read once, and what scores the moves by the prompt.

    Gradients go through both. The rows go through the network without their padding, whose states are zeros.

    *Shape:* -> (rows, length, hidden).
    """
    cache, prompt = _read_prompt(model, batch.prefix)
    definitions = prompt[batch.definition_ends] if len(batch.definition_ends) else None
    weights = model.move_weights(batch.open_rows, definitions)
    layout = packed_rows(batch.mask, prompt_length=len(batch.prefix), dtype=prompt.dtype)
    with recomputed_layers(model.backbone) if recompute else nullcontext():
        packed = model(
            batch.ids.flatten()[layout.place].unsqueeze(0),
            attention_mask=layout.mask,
            position_ids=layout.position.flatten()[layout.place].unsqueeze(0),
            cache=PromptBefore(cache, layout),
            ragged=layout,
        )[0]
    hidden = packed.new_zeros(batch.ids.numel(), packed.shape[-1]).index_copy(0, layout.place, packed)
    return hidden.view(*batch.ids.shape, -1), weights


def legal_logits(model: TaggingModel, hidden: Tensor, *, weights: MoveWeights, batch: TrainingBatch) -> Tensor:
    """Logits of the moves at each choice, those of illegal moves at minus infinity.

    *Shape:* hidden (rows, length, hidden) -> (choices, 2 + types).
    """
    logits = model.move_logits(hidden[batch.row, batch.column], weights)
    return logits.masked_fill(~batch.legal, float("-inf"))


def tag_counts(logits: Tensor, move: Tensor) -> TagCounts:
    """Compare the best moves with the gold ones. *Shape:* logits (choices, 2 + types), move (choices,)."""
    predicted = logits.detach().argmax(dim=-1)
    return TagCounts(
        gold=(move != COPY).sum(),
        predicted=(predicted != COPY).sum(),
        right=((predicted == move) & (move != COPY)).sum(),
    )


def _read_prompt(model: TaggingModel, prefix: Tensor) -> tuple[DynamicCache, Tensor]:
    """Read the prompt's shared first part, with gradients: a cache with a batch of one, and its hidden states."""
    length = len(prefix)
    cache = DynamicCache()
    hidden: Tensor = model(
        prefix.unsqueeze(0),
        attention_mask=torch.ones(1, length, dtype=torch.long, device=prefix.device),
        position_ids=torch.arange(length, device=prefix.device).unsqueeze(0),
        cache=cache,
    )
    return cache, hidden[0]


@contextmanager
def recomputed_layers(backbone: nn.Module) -> Iterator[None]:
    """Within the block, forward passes keep only the input of each layer; the backward pass computes the rest again.

    Raises:
        ConfigurationError: the architecture has no layers that can be recomputed.
    """
    layers = [one for one in backbone.modules() if isinstance(one, GradientCheckpointingLayer)]
    if not layers:
        raise ConfigurationError(
            f"gradient_checkpointing: {type(backbone).__name__} has no layers that support it; set it to false"
        )
    with ExitStack() as stack:
        for layer in layers:
            layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
            stack.callback(delattr, layer, "forward")
        yield
