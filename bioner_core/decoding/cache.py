"""The key-value cache of a batch whose rows grow at different speeds, without padding and without holes."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import Cache

from bioner_core.models.attention import RaggedLayout
from bioner_core.models.tagging_model import TaggingModel

_SPARE_SLOTS = 32
"""Slots are added in steps of at least this many, so that stores seldom have to be copied to grow."""


class RaggedCache:
    """Keys and values of the rows of a batch: a token's slot is its position in its row.

    New tokens of all rows go through the model side by side, without padding. Tokens that turn out wrong are dropped by
    setting the row's length back; the next ones overwrite them.
    """

    def __init__(self, model: TaggingModel, rows: int) -> None:
        self._model = model
        self._device = model.added_rows.device
        self._store = _SlotStore(rows)
        self._lengths = [0] * rows

    @property
    def lengths(self) -> list[int]:
        """Tokens in each row."""
        return list(self._lengths)

    def feed(self, blocks: Sequence[Sequence[int]]) -> Tensor:
        """Append a block of token ids to each row and return the hidden states of all of them, row after row.

        *Shape:* -> (total of the blocks' lengths, hidden).
        """
        layout = self._layout([len(block) for block in blocks])
        tokens = list(itertools.chain.from_iterable(blocks))
        ids = torch.tensor([tokens], dtype=torch.long, device=self._device)
        positions = layout.position.flatten().index_select(0, layout.place).unsqueeze(0)
        self._store.expect(layout, positions[0])
        hidden: Tensor = self._model(
            ids, attention_mask=layout.mask, position_ids=positions, cache=self._store, ragged=layout
        )
        self._lengths = [length + len(block) for length, block in zip(self._lengths, blocks, strict=True)]
        return hidden[0]

    def cut(self, lengths: Sequence[int]) -> None:
        """Set each row back to this many tokens; it must not be more than it has."""
        self._lengths = list(lengths)

    def select(self, rows: Sequence[int]) -> None:
        """Go on with these rows only, in this order."""
        self._store.select(torch.tensor(rows, dtype=torch.long, device=self._device))
        self._lengths = [self._lengths[row] for row in rows]

    def repeated(self, rows: int) -> "RaggedCache":
        """A cache of this many rows, each beginning with what this cache of one row holds."""
        copy = RaggedCache(self._model, rows)
        copy._store = self._store.repeated(rows, self._lengths[0])
        copy._lengths = self._lengths * rows
        return copy

    def _layout(self, counts: Sequence[int]) -> RaggedLayout:
        place, dtype = self._device, self._model.added_rows.dtype
        width, slots = max(counts), max(map(sum, zip(self._lengths, counts, strict=True)))
        # Two numbers per row go to the device; what has a number for each slot of each token is made there.
        starts, added = torch.tensor([self._lengths, counts]).to(place)
        row, column = _token_places(counts).to(place)
        steps = torch.arange(width, device=place)
        position = torch.where(steps < added.unsqueeze(1), starts.unsqueeze(1) + steps, 0)
        # Invariant: a token sees its own row up to itself and nothing else, so an answer depends neither on batch-mates
        # nor on what a cut left behind. Padding has position 0: its row of the mask must not be empty, or it would be
        # NaN.
        hidden = torch.arange(slots, device=place) > position.unsqueeze(-1)
        mask = torch.zeros(hidden.shape, dtype=dtype, device=place).masked_fill_(hidden, float("-inf"))
        return RaggedLayout(row, row * width + column, mask.unsqueeze(1), position)


def _token_places(counts: Sequence[int]) -> Tensor:
    """The row of each new token, and its place among the row's. *Shape:* -> (2, total of the counts)."""
    added = torch.tensor(counts)
    row = torch.repeat_interleave(added)
    column = torch.arange(len(row)) - (added.cumsum(0) - added)[row]
    return torch.stack((row, column))


@dataclass(slots=True)
class _Layer:
    """Keys and values of one layer. *Shape:* (rows, key_heads, capacity, size)."""

    keys: Tensor
    values: Tensor


class _SlotStore(Cache):  # type: ignore[misc]
    """What transformers' layers write their keys and values to, and read them from."""

    def __init__(self, rows: int) -> None:
        super().__init__(layers=[])
        self._rows = rows
        self._slots: list[_Layer] = []
        self._layout: RaggedLayout | None = None
        self._position: Tensor | None = None

    def expect(self, layout: RaggedLayout, position: Tensor) -> None:
        """Say where the tokens of the coming pass belong. *Shape:* position (tokens,), each in its row."""
        self._layout, self._position = layout, position

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Put a layer's new keys and values in their slots; return those of all rows.

        *Shape:* (1, key_heads, tokens, size) -> (rows, key_heads, slots, size).
        """
        if self._layout is None:
            raise RuntimeError("a pass was started without a layout")
        slots = self._layout.mask.shape[-1]
        layer = self._layer(layer_idx, key_states, slots)
        layer.keys[self._layout.row, :, self._position] = key_states[0].transpose(0, 1)
        layer.values[self._layout.row, :, self._position] = value_states[0].transpose(0, 1)
        return layer.keys[:, :, :slots], layer.values[:, :, :slots]

    def select(self, rows: Tensor) -> None:
        """Keep these rows, in this order. *Shape:* rows (kept,)."""
        self._rows = len(rows)
        for layer in self._slots:
            # one after the other, so that never two copies of all layers are held
            layer.keys, layer.values = layer.keys[rows], layer.values[rows]

    def repeated(self, rows: int, length: int) -> "_SlotStore":
        """Each of `rows` rows begins with the first `length` slots of this store's only row."""
        copy = _SlotStore(rows)
        copy._slots = [
            _Layer(*(part[:, :, :length].expand(rows, -1, -1, -1) for part in (one.keys, one.values)))
            for one in self._slots
        ]
        return copy

    def _layer(self, index: int, like: Tensor, slots: int) -> _Layer:
        """The layer's store with room for at least `slots` slots."""
        if index == len(self._slots):
            empty = like.new_zeros(self._rows, like.shape[1], 0, like.shape[3])
            self._slots.append(_Layer(empty, empty))
        layer = self._slots[index]
        # Invariant: rows that begin with a shared prompt never write into it. `repeated` shows them the prompt's own
        # slots, with no room behind; the first write finds that here and copies them into a store with room.
        if layer.keys.shape[2] < slots or not layer.keys.is_contiguous():
            self._slots[index] = layer = _Layer(_grown(layer.keys, slots), _grown(layer.values, slots))
        return layer


def _grown(store: Tensor, slots: int) -> Tensor:
    """A store with room to spare that begins with this one; zeros, since a masked slot must still be finite."""
    rows, heads, used, size = store.shape
    grown = store.new_zeros(rows, heads, slots + _SPARE_SLOTS, size)
    grown[:, :, :used] = store
    return grown
