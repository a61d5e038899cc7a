"""What every decoder promises, and the part that all of them share: the prompt's cache per label set."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from bioner_core.decoding.cache import RaggedCache
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
        self._caches: dict[tuple[int, ...], RaggedCache] = {}

    def begin(self, label_set: LabelSetTokens, rows: Sequence[DecodingRow]) -> tuple[RaggedCache, list[list[int]]]:
        """A cache for these rows after the prompt, and the token ids that each must still read before its copy.

        Rows of one sentence (its lines in the `lines` scheme) share the sentence: it is read here, once for all.
        """
        sources = {source: index for index, source in enumerate(dict.fromkeys(row.unit_ids for row in rows))}
        if len(sources) == len(rows):
            return self.start(label_set, len(rows)), [[*row.source_ids, *row.separator] for row in rows]
        cache = self.start(label_set, len(sources))
        if any(sources):
            cache.feed([[token for unit in source for token in unit] for source in sources])
        cache.select([sources[row.unit_ids] for row in rows])
        return cache, [list(row.separator) for row in rows]

    @torch.inference_mode()
    def start(self, label_set: LabelSetTokens, rows: int) -> RaggedCache:
        """A cache for this many rows after the label set's prompt."""
        if label_set.prefix not in self._caches:
            cache = RaggedCache(self.model, 1)
            cache.feed([label_set.prefix])
            self._caches[label_set.prefix] = cache
        return self._caches[label_set.prefix].repeated(rows)

    def open_rows(self, label_set: LabelSetTokens) -> Tensor:
        """The tag index of each type as a tensor on the model's device."""
        return torch.tensor(label_set.open_rows, device=self.model.added_rows.device)
