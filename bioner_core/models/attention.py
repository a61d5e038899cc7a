"""Attention as our models run it: grouped queries without copying keys, and rows of different lengths in one pass.

Registered with transformers under `GROUPED_ATTENTION` through its documented attention interface, so it serves every
decoder that takes part in that interface. It computes what transformers' `eager` attention computes (softmax summed
in float32), but the query heads that share a key head are laid side by side in one matrix product instead of repeating
keys and values for each: on a CPU in bfloat16 a third of the time. Ragged passes on a CPU go through torch's fused
kernel, laid out so: it holds no scores, and takes 0.6 to 0.9 of the time.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import eager_mask

GROUPED_ATTENTION = "bioner_grouped"
SDPA_ATTENTION = "bioner_sdpa"


@dataclass(frozen=True, slots=True)
class RaggedLayout:
    """Where the tokens of a ragged pass belong: all rows' new tokens stand one after another, without padding.

    *Shape:* row, place (tokens,): the row of each token, and its place among the queries of all rows laid out with
    padding (row times width, plus its place among the row's new tokens); mask
    (rows, 1, width, slots), added to the scores: 0 where a slot may be seen, -inf elsewhere; position (rows, width),
    the position of each query, 0 for padding.
    """

    row: Tensor
    place: Tensor
    mask: Tensor
    position: Tensor
    _masks: dict[tuple[int | None, int], Tensor] = field(default_factory=dict)

    def mask_for(self, window: int | None, *, shared: int) -> Tensor:
        """The mask of layers that see only the last `window` positions, for `shared` query heads side by side.

        Made once for all layers of a pass. *Shape:* -> (rows, 1, shared times width, slots).
        """
        if (window, shared) not in self._masks:
            self._masks[window, shared] = _windowed(self, window).repeat(1, 1, shared, 1)
        return self._masks[window, shared]

    def padded(self, packed: Tensor) -> Tensor:
        """Put packed queries in their rows, zeros elsewhere.

        *Shape:* (1, heads, tokens, size) -> (rows, heads, width, size).
        """
        rows, _, width, _ = self.mask.shape
        _, heads, tokens, size = packed.shape
        if tokens == rows * width:
            return packed.view(heads, rows, width, size).transpose(0, 1)
        padded = packed.new_zeros(rows * width, heads, size)
        padded.index_copy_(0, self.place, packed[0].transpose(0, 1))
        return padded.view(rows, width, heads, size).transpose(1, 2)

    def packed(self, padded: Tensor) -> Tensor:
        """The inverse of `padded`, heads after tokens as transformers wants it.

        *Shape:* (rows, width, heads, size) -> (1, tokens, heads, size).
        """
        rows, width, heads, size = padded.shape
        if len(self.row) == rows * width:
            return padded.reshape(1, rows * width, heads, size)
        return padded.reshape(rows * width, heads, size).index_select(0, self.place).unsqueeze(0)


def grouped_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    softcap: float | None = None,
    ragged: RaggedLayout | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attention of grouped queries; with a `ragged` layout, queries are packed and keys are those of its rows.

    *Shape:* query (batch, heads, length, size), with a layout (1, heads, tokens, size); key, value
    (batch or rows, key_heads, slots, size); attention_mask (batch, 1, length, slots), added to the scores
    -> (batch, length, heads, size).
    """
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    if ragged is not None:
        query = ragged.padded(query)
        if softcap is None and query.device.type == "cpu" and not query.requires_grad:
            return ragged.packed(_fused(query, key, value, ragged, scale=scale, window=sliding_window)), None
        attention_mask = ragged.mask_for(sliding_window, shared=1)
    batch, heads, length, size = query.shape
    key_heads = key.shape[1]
    # Scaled before the product, since the scores are several times as large; they are made once, then changed in place.
    grouped = (query * scale).reshape(batch, key_heads, -1, size)
    scores = torch.matmul(grouped, key.transpose(2, 3)).view(batch, heads, length, -1)
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    if attention_mask is not None:
        scores += attention_mask
    # In the format of the scores: the kernels sum in float32 and round once, so a float32 copy of all scores adds
    # nothing but time: a training step in bfloat16 on a CPU takes 0.93 of the time without it.
    weights = nn.functional.softmax(scores, dim=-1)
    if dropout and module.training:
        weights = nn.functional.dropout(weights, p=dropout)
    output = torch.matmul(weights.view(batch, key_heads, -1, weights.shape[-1]), value)
    output = output.view(batch, heads, length, size).transpose(1, 2)
    return (output.contiguous() if ragged is None else ragged.packed(output)), None


def sdpa_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    softcap: float | None = None,
    ragged: RaggedLayout | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """The same through torch's fused kernels, which hold no scores; they know no soft cap, so that stays with ours.

    *Shape:* as `grouped_attention`.
    """
    if softcap is not None:
        return grouped_attention(
            module, query, key, value, attention_mask, scaling, dropout, sliding_window, softcap, ragged
        )
    if ragged is not None:
        query = ragged.padded(query)
        attention_mask = ragged.mask_for(sliding_window, shared=1)
    shared = query.shape[1] // key.shape[1]
    output = nn.functional.scaled_dot_product_attention(
        query,
        key.repeat_interleave(shared, dim=1),
        value.repeat_interleave(shared, dim=1),
        attn_mask=attention_mask,
        dropout_p=dropout if module.training else 0.0,
        scale=scaling,
    ).transpose(1, 2)
    return (output.contiguous() if ragged is None else ragged.packed(output)), None


def _fused(
    query: Tensor, key: Tensor, value: Tensor, ragged: RaggedLayout, *, scale: float, window: int | None
) -> Tensor:
    """Padded queries through torch's fused kernel, those that share a key head side by side.

    *Shape:* query (rows, heads, width, size); key, value (rows, key_heads, slots, size) -> (rows, width, heads, size).
    """
    rows, heads, width, size = query.shape
    key_heads = key.shape[1]
    shared = heads // key_heads
    output = nn.functional.scaled_dot_product_attention(
        query.reshape(rows, key_heads, shared * width, size),
        key,
        value,
        attn_mask=ragged.mask_for(window, shared=shared),
        scale=scale,
    )
    return output.view(rows, heads, width, size).transpose(1, 2)


def _windowed(ragged: RaggedLayout, window: int | None) -> Tensor:
    """The layout's mask, narrowed for layers that see only the last `window` positions."""
    slots = ragged.mask.shape[-1]
    if window is None or slots <= window:
        return ragged.mask
    first_seen = (ragged.position - window + 1).unsqueeze(-1).unsqueeze(1)
    too_old = torch.arange(slots, device=ragged.mask.device) < first_seen
    return ragged.mask.masked_fill(too_old, float("-inf"))


AttentionInterface.register(GROUPED_ATTENTION, grouped_attention)
AttentionMaskInterface.register(GROUPED_ATTENTION, eager_mask)
AttentionInterface.register(SDPA_ATTENTION, sdpa_attention)
AttentionMaskInterface.register(SDPA_ATTENTION, eager_mask)
