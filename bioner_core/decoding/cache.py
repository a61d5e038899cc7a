"""The key-value cache of a batch whose rows grow at different speeds."""

import copy
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from bioner_core.models.tagging_model import TaggingModel


def prefix_cache(model: TaggingModel, prefix: Tensor) -> DynamicCache:
    """Run the prompt's fixed first part; the cache it leaves has a batch of one.

    *Shape:* prefix (prefix_length,).
    """
    length = len(prefix)
    cache = DynamicCache()
    model(
        prefix.unsqueeze(0),
        attention_mask=torch.ones(1, length, dtype=torch.long, device=prefix.device),
        position_ids=torch.arange(length, device=prefix.device).unsqueeze(0),
        cache=cache,
    )
    return cache


class RaggedCache:
    """Keys and values of rows after a shared prefix, with a mask that says which slots count.

    Blocks of tokens are appended for all rows at once, padded at the right. Tokens that turn out wrong are masked out
    afterwards; their slots stay, positions are given explicitly, so attention never sees them.
    """

    def __init__(self, model: TaggingModel, prefix: DynamicCache, rows: int) -> None:
        self._model = model
        self._cache: Any = copy.deepcopy(prefix)
        self._cache.batch_repeat_interleave(rows)
        prefix_length = self._cache.get_seq_length()
        device = model.added_rows.device
        self._mask = torch.ones(rows, prefix_length, dtype=torch.long, device=device)
        self._next_position = torch.full((rows,), prefix_length, dtype=torch.long, device=device)

    def feed(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Append `lengths[row]` tokens to each row and return the hidden states of the block.

        *Shape:* ids (rows, length); lengths (rows,) -> (rows, length, hidden).
        """
        rows, length = ids.shape
        steps = torch.arange(length, device=ids.device).expand(rows, length)
        valid = (steps < lengths.unsqueeze(1)).long()
        self._mask = torch.cat((self._mask, valid), dim=1)
        positions = self._next_position.unsqueeze(1) + torch.minimum(steps, lengths.unsqueeze(1).clamp(min=1) - 1)
        hidden: Tensor = self._model(ids, attention_mask=self._mask, position_ids=positions, cache=self._cache)
        self._next_position = self._next_position + lengths
        return hidden

    def keep_of_last_block(self, kept: Tensor, length: int) -> None:
        """Of the last block of `length` slots keep only the first `kept[row]` tokens of each row.

        *Shape:* kept (rows,).
        """
        block = self._mask[:, -length:]
        wanted = torch.arange(length, device=kept.device).expand_as(block) < kept.unsqueeze(1)
        dropped = (block * ~wanted).sum(dim=1)
        self._mask[:, -length:] = block * wanted
        self._next_position = self._next_position - dropped

    def select(self, rows: Tensor) -> None:
        """Go on with these rows only, in this order.

        *Shape:* rows (count,), row indices.
        """
        self._cache.batch_select_indices(rows)
        self._mask = self._mask[rows]
        self._next_position = self._next_position[rows]
