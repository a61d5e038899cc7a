"""How large a batch may be for the memory that there is: arithmetic only, nothing is measured here. Imports no torch.

A row of a batch takes the keys and values of the prompt, the sentence and its copy, and in its first pass, which reads
the whole sentence, attention scores of every query over every slot. So the cost of a row grows with the square of its
length, and for short rows the prompt is most of it. A token budget is right when the batches that it allows all fit,
those of a few long rows and those of many short ones.
"""

import math
from dataclasses import dataclass

from bioner_core.errors import ConfigurationError
from bioner_core.inference.batching import TOKENS_PER_ROW, BatchLimits

ONCE_BYTES = 192_000_000
"""What batches take whatever their size: workspaces of the libraries, the kernels that they keep for each shape they
have met, and gaps in the heap; up to 160 MB as measured with the default model on a CPU."""

_BYTES_PER_SCORE = 12
"""Attention scores in the model's type and, for the softmax, twice in float32."""

_STORES_AT_ONCE = 2
"""When rows have finished, the keys and values of the others are copied, and the old ones are still there."""

_TOKENS_PER_MOVE = 1.5
"""Draft moves copy a unit, most of which are one token, or set a tag, which is one."""

_COPY_TO_SOURCE = 1.25
"""Tokens of a copy with its tags, for one of the sentence."""

_SPARE_SLOTS = 48
"""What the store of keys and values keeps free, and the separator."""


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """How much memory batches may take beside the model itself.

    `cap` is in bytes, None for a share of what is free; `share` is the part of the device that is this process's own,
    above 0 and at most 1: a quarter where four actors live on one GPU.

    Raises:
        ConfigurationError: a value is out of range.
    """

    cap: int | None = None
    share: float = 1.0

    def __post_init__(self) -> None:
        if self.cap is not None and self.cap < 1:
            raise ConfigurationError(f"memory cap: {self.cap} bytes; give more than nothing, or leave it out")
        if not 0 < self.share <= 1:
            raise ConfigurationError(f"share of the device's memory: {self.share}; use one above 0 and up to 1")


@dataclass(frozen=True, slots=True)
class Footprint:
    """What decides how much memory a row takes.

    `layers` to `feed_forward` are the transformer's sizes, `number_bytes` those of a weight; `prompt` is the longest
    prompt in tokens, `lines` how many copies a sentence has, `window` the draft moves read in a pass, and
    `tokens_per_estimate` how many tokens the model takes for one of `estimate_tokens`.
    """

    layers: int
    heads: int
    key_heads: int
    head_size: int
    hidden: int
    feed_forward: int
    number_bytes: int
    prompt: int
    lines: int
    window: int
    tokens_per_estimate: float

    def row_bytes(self, estimated_tokens: int) -> float:
        """The most that a sentence of so many estimated tokens, as the longest of its batch, adds to the batch."""
        source = self.tokens_per_estimate * estimated_tokens
        draft = _TOKENS_PER_MOVE * self.window
        slots = self.prompt + source * (1 + _COPY_TO_SOURCE) + _SPARE_SLOTS
        if self.lines > 1:  # the sentence is read first, once for all its copies
            queries = max(source * (self.prompt + source), self.lines * draft * slots)
            width = max(source, self.lines * draft)
        else:
            width = source + min(source, draft)
            queries = width * (self.prompt + width)
        scores = queries * self.heads * _BYTES_PER_SCORE
        return self.lines * slots * self._slot_bytes() * _STORES_AT_ONCE + scores + width * self._activation_bytes()

    def _slot_bytes(self) -> int:
        return 2 * self.layers * self.key_heads * self.head_size * self.number_bytes

    def _activation_bytes(self) -> int:
        """Of one token in one layer: gate, up and their product, and the hidden states around them."""
        return (3 * self.feed_forward + 8 * self.hidden) * self.number_bytes


def limits_for(footprint: Footprint, memory: float, *, longest: int, most_tokens: int) -> BatchLimits:
    """The largest limits, up to a budget of `most_tokens`, whose every batch fits into `memory` bytes.

    `longest` is the longest row in estimated tokens. The budget is a power of two, so that a little more or less free
    memory makes the same batches. It is never less than one row: what is too small for a single row stays too
    small however rows are batched.
    """
    lengths = range(TOKENS_PER_ROW, max(longest, TOKENS_PER_ROW) + 1)
    costliest = max(footprint.row_bytes(length) / length for length in lengths)
    tokens = max(float(TOKENS_PER_ROW), min((memory - ONCE_BYTES) / costliest, float(most_tokens)))
    # Invariant: answers do not depend on free memory. Batches do, but answers do not depend on batches; and with a
    # power of two, a little more or less free memory mostly makes the same batches.
    return BatchLimits.of_budget(2 ** int(math.log2(tokens)))


def batch_bytes(footprint: Footprint, *, rows: int, longest: int) -> float:
    """The most that a batch takes beside the model, its longest row being of so many estimated tokens."""
    return ONCE_BYTES + rows * footprint.row_bytes(longest)
