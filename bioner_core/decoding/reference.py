"""The reference decoder: one token per step over a key-value cache. Slow and plain, it defines what is right."""

from collections.abc import Sequence

import torch
from torch import Tensor

from bioner_core.decoding.decision import Logits, decide, logits_of, move_tokens
from bioner_core.decoding.decoder import PromptCaches
from bioner_core.decoding.rows import DecodedRow, DecodingRow, LabelSetTokens
from bioner_core.models.tagging_model import TaggingModel
from bioner_core.tagging.moves import Move, TagState


class ReferenceDecoder:
    """Greedy decoding over legal moves, one token per row and step."""

    def __init__(self, model: TaggingModel) -> None:
        self._prompts = PromptCaches(model)

    @torch.inference_mode()
    def decode(self, rows: Sequence[DecodingRow], label_set: LabelSetTokens) -> list[DecodedRow]:
        """Decode a batch of one label set; results are index-aligned with the rows."""
        if not rows:
            return []
        cache, blocks = self._prompts.begin(label_set, rows)
        weights = self._prompts.move_weights(label_set)
        copies = [_Copy(row, label_set) for row in rows]
        unfinished = list(range(len(rows)))
        while unfinished:
            ends = torch.tensor([len(block) for block in blocks]).cumsum(0) - 1
            states = cache.feed(blocks)[ends.to(weights.rows.device)]
            logits = logits_of(self._prompts.model, states, weights=weights, open_bias=label_set.open_bias)
            for place, index in enumerate(unfinished):
                copies[index].take(logits[place], states[place])
            going_on = [place for place, index in enumerate(unfinished) if not copies[index].is_finished]
            if len(going_on) < len(unfinished):
                cache.select(going_on)
                unfinished = [unfinished[place] for place in going_on]
            blocks = [[copies[index].next_token()] for index in unfinished]
        return [copy.result() for copy in copies]


class _Copy:
    """One copy in the making."""

    def __init__(self, row: DecodingRow, label_set: LabelSetTokens) -> None:
        self._row = row
        self._label_set = label_set
        self._state = TagState()
        self._pending: list[int] = []
        self._moves: list[Move] = []
        self._margins: list[float] = []
        self._states: list[Tensor] = []

    @property
    def is_finished(self) -> bool:
        """Whether the source is used up, the tags are closed, and the state after the last token was taken."""
        return len(self._states) > len(self._moves)

    def take(self, logits: Logits, state: Tensor) -> None:
        """Decide the next move, unless the middle of a unit is being copied."""
        if self._pending:
            return
        self._states.append(state)
        if self._state.is_finished(len(self._row.unit_ids)):
            return
        move, margin = decide(logits, self._state, row=self._row)
        self._pending = list(move_tokens(move, self._state, row=self._row, label_set=self._label_set))
        self._moves.append(move)
        self._margins.append(margin)
        self._state = self._state.after(move)

    def next_token(self) -> int:
        """The next token to read; the copy must not be finished."""
        return self._pending.pop(0)

    def result(self) -> DecodedRow:
        """The finished copy."""
        return DecodedRow(tuple(self._moves), torch.tensor(self._margins), torch.stack(self._states))
