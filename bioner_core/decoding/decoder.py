"""What every decoder promises, and the part that all of them share: the prompt's cache per label set."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor
from transformers import DynamicCache

from bioner_core.decoding.cache import RaggedCache, prefix_cache
from bioner_core.decoding.rows import DecodedRow, DecodingRow, LabelSetTokens
from bioner_core.models.tagging_model import TaggingModel


class Decoder(Protocol):
    """Makes tagged copies. The answer for a row does not depend on its batch, its place there, or padding."""

    def decode(self, rows: Sequence[DecodingRow], label_set: LabelSetTokens) -> list[DecodedRow]:
        """Decode a batch of one label set; results are index-aligned with the rows."""
        ...


class PromptCaches:
    """Keys and values of each label set's prompt, computed at first use and kept."""

    def __init__(self, model: TaggingModel) -> None:
        self.model = model
        self._caches: dict[tuple[int, ...], DynamicCache] = {}

    def start(self, label_set: LabelSetTokens, rows: int) -> RaggedCache:
        """A cache for this many rows after the label set's prompt."""
        if label_set.prefix not in self._caches:
            prefix = torch.tensor(label_set.prefix, device=self.model.added_rows.device)
            self._caches[label_set.prefix] = prefix_cache(self.model, prefix)
        return RaggedCache(self.model, self._caches[label_set.prefix], rows)

    def open_rows(self, label_set: LabelSetTokens) -> Tensor:
        """The tag index of each type as a tensor on the model's device."""
        return torch.tensor(label_set.open_rows, device=self.model.added_rows.device)
