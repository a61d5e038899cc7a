"""What every decoder promises, and the part that all of them share: the prompt's cache per label set."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from bioner_core.decoding.cache import RaggedCache
from bioner_core.decoding.rows import DecodedRow, DecodingRow, LabelSetTokens
from bioner_core.models.tagging_model import MoveWeights, TaggingModel


class Decoder(Protocol):
    """Makes tagged copies. The answer for a row does not depend on its batch, its place there, or padding."""

    def decode(self, rows: Sequence[DecodingRow], label_set: LabelSetTokens) -> list[DecodedRow]:
        """Decode a batch of one label set; results are index-aligned with the rows."""
        ...


class PromptCaches:
    """Each label set's prompt, read at first use and kept: its keys and values, and the states of its tokens."""

    def __init__(self, model: TaggingModel) -> None:
        self.model = model
        self._read: dict[tuple[int, ...], tuple[RaggedCache, Tensor]] = {}

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

    def start(self, label_set: LabelSetTokens, rows: int) -> RaggedCache:
        """A cache for this many rows after the label set's prompt."""
        return self._prompt(label_set)[0].repeated(rows)

    @torch.inference_mode()
    def move_weights(self, label_set: LabelSetTokens) -> MoveWeights:
        """What scores the moves of the label set. With definitions, these are read from the prompt's own states."""
        open_rows = torch.tensor(label_set.open_rows, device=self.model.added_rows.device)
        if not label_set.definition_ends:
            return self.model.move_weights(open_rows)
        _, states = self._prompt(label_set)
        return self.model.move_weights(open_rows, states[list(label_set.definition_ends)])

    @torch.inference_mode()
    def _prompt(self, label_set: LabelSetTokens) -> tuple[RaggedCache, Tensor]:
        """The cache after the prompt, of one row, and the hidden states of the prompt's tokens."""
        # Invariant: a prompt is known by its token ids, not by its label set's name: two label sets of one name and
        # other definitions must not share keys and values.
        if label_set.prefix not in self._read:
            cache = RaggedCache(self.model, 1)
            states = cache.feed([label_set.prefix])
            self._read[label_set.prefix] = (cache, states)
        return self._read[label_set.prefix]
