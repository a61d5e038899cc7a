"""The drafted decoder: a pass scores the whole remaining copy at once; its output is that of the reference decoder.

A fixed point of drafting equals greedy decoding exactly: by induction on the prefix, every accepted move was decided
from hidden states over accepted moves only. In float32 both decoders agree token for token.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from bioner_core.decoding.cache import RaggedCache
from bioner_core.decoding.decision import Logits, logits_of, move_tokens, padded_ids
from bioner_core.decoding.decoder import PromptCaches
from bioner_core.decoding.draft import accept, plain_draft, redraft
from bioner_core.decoding.rows import DecodedRow, DecodingRow, LabelSetTokens
from bioner_core.models.tagging_model import TaggingModel
from bioner_core.tagging.moves import Move, TagState

_BLOCK_MULTIPLE = 16
"""Blocks are padded to a multiple of this, so that matrix shapes repeat and their kernels are compiled once."""


class DraftedDecoder:
    """Greedy decoding over legal moves, a draft a row a pass. `passes` counts row-passes since the start."""

    def __init__(self, model: TaggingModel) -> None:
        self._prompts = PromptCaches(model)
        self.passes = 0

    @torch.inference_mode()
    def decode(self, rows: Sequence[DecodingRow], label_set: LabelSetTokens) -> list[DecodedRow]:
        """Decode a batch of one label set; results are index-aligned with the rows."""
        if not rows:
            return []
        cache = self._prompts.start(label_set, len(rows))
        open_rows = self._prompts.open_rows(label_set)
        copies = [_DraftedCopy(row, label_set) for row in rows]
        active = copies
        while active:
            self.passes += len(active)
            active = self._pass(active, cache, open_rows)
        return [copy.result() for copy in copies]

    def _pass(self, copies: list["_DraftedCopy"], cache: RaggedCache, open_rows: Tensor) -> list["_DraftedCopy"]:
        """One forward pass over the drafts of the unfinished copies; the cache keeps those that stay unfinished."""
        blocks = [copy.block() for copy in copies]
        device = open_rows.device
        ids, lengths = padded_ids(blocks, device=device, multiple=_BLOCK_MULTIPLE)
        hidden = cache.feed(ids, lengths)
        ends = [copy.state_columns() for copy in copies]
        chosen = torch.cat([hidden[index, columns] for index, columns in enumerate(ends)])
        logits = logits_of(self._prompts.model, chosen, open_rows)
        kept: list[int] = []
        start = 0
        for copy, columns in zip(copies, ends, strict=True):
            stop = start + len(columns)
            kept.append(copy.digest(chosen[start:stop], logits[start:stop]))
            start = stop
        cache.keep_of_last_block(torch.tensor(kept, device=device), ids.shape[1])
        unfinished = [index for index, copy in enumerate(copies) if not copy.is_finished]
        if unfinished and len(unfinished) < len(copies):
            cache.select(torch.tensor(unfinished, device=device))
        return [copies[index] for index in unfinished]


class _DraftedCopy:
    """One copy in the making: what is accepted, and the draft of the rest."""

    def __init__(self, row: DecodingRow, label_set: LabelSetTokens) -> None:
        self._row = row
        self._label_set = label_set
        self._state = TagState()
        self._draft = plain_draft(row, self._state)
        self._lead = [*row.source_ids, *row.separator]
        self._known: tuple[Tensor, Logits] | None = None
        self._moves: list[Move] = []
        self._margins: list[float] = []
        self._states: list[Tensor] = []
        self.is_finished = False

    def block(self) -> list[int]:
        """The token ids to read in the next pass: sentence and separator the first time, then the draft."""
        return [*self._lead, *(token for tokens in self._draft_tokens() for token in tokens)]

    def state_columns(self) -> list[int]:
        """Columns of the block after which a move is decided: the last token of the lead, and of each draft move."""
        columns = [len(self._lead) - 1] if self._lead else []
        end = len(self._lead)
        for tokens in self._draft_tokens():
            end += len(tokens)
            columns.append(end - 1)
        return columns

    def digest(self, hidden: Tensor, logits: Logits) -> int:
        """Take a pass's results; return how many tokens of the block stay.

        *Shape:* hidden (columns, width); logits (columns, moves).
        """
        states, all_logits = self._with_known(hidden, logits)
        accepted = accept(self._draft, all_logits, self._state, self._row)
        count = len(accepted.moves)
        kept = len(self._lead) + sum(map(len, self._draft_tokens()[:count]))
        self._moves.extend(accepted.moves)
        self._margins.extend(accepted.margins)
        self._states.extend(states[:count])
        self._known = (states[count], all_logits[count])
        if accepted.next_move is None:
            self._states.append(states[count])
            self.is_finished = True
        else:
            self._draft = redraft(self._draft, all_logits, accepted, self._row)
        self._state = accepted.state
        self._lead = []
        return kept

    def result(self) -> DecodedRow:
        """The finished copy."""
        return DecodedRow(tuple(self._moves), torch.tensor(self._margins), torch.stack(self._states))

    def _draft_tokens(self) -> list[tuple[int, ...]]:
        state, found = self._state, []
        for move in self._draft.moves:
            found.append(move_tokens(move, state, self._row, self._label_set))
            state = state.after(move)
        return found

    def _with_known(self, hidden: Tensor, logits: Logits) -> tuple[list[Tensor], list[Logits]]:
        """Put the state from which the draft's first move is decided before those of the block."""
        states, all_logits = list(hidden), list(logits)
        if self._known is not None:
            return [self._known[0], *states], [self._known[1], *all_logits]
        return states, all_logits
