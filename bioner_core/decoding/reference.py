"""The reference decoder: one token a step over a key-value cache. Slow and plain, it defines what is right."""

from collections.abc import Sequence

import torch
from torch import Tensor

from bioner_core.decoding.decision import Logits, decide, logits_of, move_tokens, padded_ids
from bioner_core.decoding.decoder import PromptCaches
from bioner_core.decoding.rows import DecodedRow, DecodingRow, LabelSetTokens
from bioner_core.models.tagging_model import TaggingModel
from bioner_core.tagging.moves import Move, TagState


class ReferenceDecoder:
    """Greedy decoding over legal moves, one token a row a step."""

    def __init__(self, model: TaggingModel) -> None:
        self._prompts = PromptCaches(model)

    @torch.inference_mode()
    def decode(self, rows: Sequence[DecodingRow], label_set: LabelSetTokens) -> list[DecodedRow]:
        """Decode a batch of one label set; results are index-aligned with the rows."""
        if not rows:
            return []
        model = self._prompts.model
        cache = self._prompts.start(label_set, len(rows))
        device = model.added_rows.device
        ids, lengths = padded_ids([[*row.source_ids, *row.separator] for row in rows], device=device)
        hidden = cache.feed(ids, lengths)
        states = hidden[torch.arange(len(rows), device=device), lengths - 1]
        copies = [_Copy(row, label_set) for row in rows]
        open_rows = self._prompts.open_rows(label_set)
        while True:
            _decide_all(copies, logits_of(model, states, open_rows), states)
            tokens = [copy.next_token() for copy in copies]
            if all(token is None for token in tokens):
                break
            ids, lengths = padded_ids([[] if token is None else [token] for token in tokens], device=device)
            states = cache.feed(ids, lengths)[:, 0]
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
        """Whether the source is used up, the tags are closed, and the last token was read."""
        return self._state.is_finished(len(self._row.unit_ids)) and not self._pending

    def take(self, logits: Logits, state: Tensor) -> None:
        """Decide the next move unless the middle of a unit is being copied or the copy was finished before."""
        if self._pending or len(self._states) > len(self._moves):
            return
        self._states.append(state)
        if self.is_finished:
            return
        move, margin = decide(logits, self._state, self._row)
        self._pending = list(move_tokens(move, self._state, self._row, self._label_set))
        self._moves.append(move)
        self._margins.append(margin)
        self._state = self._state.after(move)

    def next_token(self) -> int | None:
        """The next token to read, or None when the copy is finished."""
        return self._pending.pop(0) if self._pending else None

    def result(self) -> DecodedRow:
        """The finished copy."""
        return DecodedRow(tuple(self._moves), torch.tensor(self._margins), torch.stack(self._states))


def _decide_all(copies: Sequence[_Copy], logits: Logits, states: Tensor) -> None:
    for index, copy in enumerate(copies):
        copy.take(logits[index], states[index])
