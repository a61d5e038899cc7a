"""The ordinary language-model loss, for comparison: every token of the copy, over the full vocabulary and all tags.

The distribution over the next token is written in two steps, so that decoding stays what it is: first the move among
copy, close and all opening tags, legal or not; then, given a copy, the token among the base vocabulary and the added
characters. That is a softmax over the full vocabulary with tags, in classes (arXiv cs/0108006). What the legal-move
loss leaves out is all in it: illegal moves, positions inside units, and the copied tokens themselves.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from bioner_core.models.tagging_model import TaggingModel
from bioner_core.models.vocabulary import TaggingVocabulary
from bioner_core.tagging.moves import CLOSE, COPY, FIRST_OPEN
from bioner_core.training.examples import TaggingExample
from bioner_core.training.loss import LossParts, TrainingBatch, legal_logits, read_batch, tag_counts


class LanguageModelLoss(nn.Module):
    """One batch's forward pass: each token of the copies among all that could stand there.

    `head` is the base's own frozen output layer; added characters are scored by their embedding rows.
    """

    def __init__(
        self, model: TaggingModel, vocabulary: TaggingVocabulary, *, head: nn.Module, recompute: bool = False
    ) -> None:
        super().__init__()
        self.model = model
        self.head = head
        self._close_id = vocabulary.close_id
        self._tag_count = len(vocabulary.tags)
        self._recompute = recompute

    def forward(self, batch: TrainingBatch) -> LossParts:
        """Read the prompt once, the rows after it, and score the copies token by token."""
        hidden, weights = read_batch(self.model, batch, recompute=self._recompute)
        columns = torch.arange(batch.ids.shape[1], device=batch.ids.device)
        in_copy = (columns >= batch.copy_start.unsqueeze(1)) & batch.mask.bool()
        row, column = in_copy.nonzero(as_tuple=True)
        states, targets = hidden[row, column - 1], batch.ids[row, column]
        moves = self._moves(targets, batch.open_rows)
        move_loss = functional.cross_entropy(self.model.move_logits(states, weights), moves, reduction="sum")
        is_copied = moves == COPY
        loss = (move_loss + self._copy_loss(states[is_copied], targets[is_copied])) / len(targets)
        with torch.no_grad():
            counts = tag_counts(legal_logits(self.model, hidden, weights=weights, batch=batch), batch.move)
        return LossParts(loss, len(targets), counts)

    def term_count(self, examples: Sequence[TaggingExample]) -> int:
        """How many terms the loss of a batch of these examples is a mean of."""
        return sum(len(one.input_ids) - one.copy_start for one in examples)

    def _moves(self, targets: Tensor, open_rows: Tensor) -> Tensor:
        """The move that each token of a copy is. *Shape:* (tokens,), (types,) -> (tokens,)."""
        is_opened = (targets - self.model.base_size).unsqueeze(1) == open_rows
        moves = torch.where(is_opened.any(dim=1), is_opened.long().argmax(dim=1) + FIRST_OPEN, COPY)
        return torch.where(targets == self._close_id, CLOSE, moves)

    def _copy_loss(self, states: Tensor, targets: Tensor) -> Tensor:
        """Summed loss of copied tokens among base vocabulary and added characters.

        *Shape:* states (tokens, hidden), targets (tokens,).
        """
        first_character = self._tag_count + 1
        characters = self.model.added_rows[first_character:].to(states.dtype)
        logits = torch.cat((self.head(states), functional.linear(states, characters)), dim=-1).float()
        is_character = targets > self._close_id
        classes = torch.where(is_character, targets - first_character, targets)
        return functional.cross_entropy(logits, classes, reduction="sum")
