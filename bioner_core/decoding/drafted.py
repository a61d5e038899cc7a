"""The drafted decoder: a pass scores a stretch of the remaining copy at once; its output is the reference decoder's.

A fixed point of drafting equals greedy decoding exactly: by induction on the prefix, every accepted move was decided
from hidden states over accepted moves only. In float32 both decoders agree token for token.
"""

import itertools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from bioner_core.decoding.cache import RaggedCache
from bioner_core.decoding.decision import ChosenMoves, Logits, logits_of, written_tokens
from bioner_core.decoding.decoder import PromptCaches
from bioner_core.decoding.draft import accept, plain_draft, redraft
from bioner_core.decoding.rows import DecodedRow, DecodingRow, LabelSetTokens
from bioner_core.errors import ConfigurationError
from bioner_core.models.tagging_model import MoveWeights, TaggingModel
from bioner_core.tagging.moves import Move, TagState

CPU_WINDOW = 16
"""Moves read in a pass on a CPU, where time goes by tokens: few enough that little is read in vain behind a tag."""

GPU_WINDOW = 256
"""Moves read in a pass on a GPU, where time goes by passes: most sentences whole."""


class DraftedDecoder:
    """Greedy decoding over legal moves, a stretch of draft per row and pass. `passes` counts row-passes since the
    start.

    `window` is the most draft moves that a row reads in one pass: more of them make fewer passes and more tokens read
    in vain. None chooses by the model's device.

    Raises:
        ConfigurationError: the window is below 1.
    """

    def __init__(self, model: TaggingModel, *, window: int | None = None) -> None:
        if window is not None and window < 1:
            raise ConfigurationError(f"window: {window}; give the moves read in a pass, at least 1")
        self._prompts = PromptCaches(model)
        self._window = window or (GPU_WINDOW if model.added_rows.is_cuda else CPU_WINDOW)
        self.passes = 0

    @torch.inference_mode()
    def decode(self, rows: Sequence[DecodingRow], label_set: LabelSetTokens) -> list[DecodedRow]:
        """Decode a batch of one label set; results are index-aligned with the rows."""
        if not rows:
            return []
        cache, leads = self._prompts.begin(label_set, rows)
        weights = self._prompts.move_weights(label_set)
        copies = [_DraftedCopy(row, label_set, lead, self._window) for row, lead in zip(rows, leads, strict=True)]
        active = copies
        while active:
            self.passes += len(active)
            active = self._pass(active, cache, weights, open_bias=label_set.open_bias)
        return [copy.result() for copy in copies]

    def _pass(
        self, copies: list["_DraftedCopy"], cache: RaggedCache, weights: MoveWeights, *, open_bias: float
    ) -> list["_DraftedCopy"]:
        """One forward pass over the drafts of the unfinished copies; the cache keeps those that stay unfinished."""
        before = cache.lengths
        blocks = [copy.block() for copy in copies]
        columns = [copy.state_columns() for copy in copies]
        hidden = cache.feed(blocks)
        # One look-up for all rows, and one way back to the processor: each of them waits for a GPU.
        states_of_all = hidden[torch.tensor(_in_all_blocks(blocks, columns), device=hidden.device)]
        logits = logits_of(self._prompts.model, states_of_all, weights=weights, open_bias=open_bias)
        chosen = torch.split(states_of_all, [len(one) for one in columns])
        kept, start = [], 0
        for copy, states in zip(copies, chosen, strict=True):
            stop = start + len(states)
            kept.append(copy.digest(states, logits[start:stop]))
            start = stop
        # What is taken are views, and one of them keeps the states of the whole pass: 6 MB for 0.4 in a small trial.
        taken = sum(copy.taken for copy in copies)
        for copy in copies:
            copy.settle_states(is_sparse=2 * taken < len(states_of_all))
        # Invariant: the cache holds the tokens of accepted moves only. Those of the rest of the draft are cut off, and
        # the next pass writes over their slots; the mask hides a slot until then.
        cache.cut([length + count for length, count in zip(before, kept, strict=True)])
        unfinished = [index for index, copy in enumerate(copies) if not copy.is_finished]
        if unfinished and len(unfinished) < len(copies):
            cache.select(unfinished)
        return [copies[index] for index in unfinished]


def _in_all_blocks(blocks: Sequence[Sequence[int]], columns: Sequence[Sequence[int]]) -> list[int]:
    """Columns of each block as places in all blocks, one after another."""
    starts = itertools.accumulate(map(len, blocks), initial=0)
    return [start + column for start, chosen in zip(starts, columns, strict=False) for column in chosen]


class _DraftedCopy:
    """One copy in the making: what is accepted, and the draft of the rest."""

    def __init__(self, row: DecodingRow, label_set: LabelSetTokens, lead: list[int], window: int) -> None:
        self._row = row
        self._label_set = label_set
        self._window = window
        self._state = TagState()
        self._draft = plain_draft(row, self._state)
        self._tokens = self._window_tokens()
        self._lead = lead
        self._known: tuple[Tensor, Logits] | None = None  # a state (1, width) and its logits (1, moves)
        self._moves: list[Move] = []
        self._margins: list[float] = []
        self._states: list[Tensor] = []
        self._settled = 0
        self.is_finished = False

    def block(self) -> list[int]:
        """The token ids to read in the next pass: what leads up to the copy the first time, then the draft."""
        return [*self._lead, *itertools.chain.from_iterable(self._tokens)]

    def state_columns(self) -> list[int]:
        """Columns of the block after which a move is decided: the last token of the lead, and of each draft move."""
        ends = itertools.accumulate(map(len, self._tokens), initial=len(self._lead))
        columns = [end - 1 for end in ends]
        return columns if self._lead else columns[1:]

    def digest(self, hidden: Tensor, logits: Logits) -> int:
        """Take a pass's results; return how many tokens of the block stay.

        *Shape:* hidden (columns, width); logits (columns, moves).
        """
        all_logits = logits if self._known is None else np.concatenate((self._known[1], logits))
        chosen = ChosenMoves(all_logits, self._row)
        accepted = accept(self._draft, chosen, state=self._state, row=self._row)
        count = len(accepted.moves)
        kept = len(self._lead) + sum(map(len, self._tokens[:count]))
        # Invariant: drafting changes no answer. Every accepted move was decided from hidden states over accepted moves
        # alone; docs/method.md has the proof, under "Why both give the same copy".
        # Invariant: each pass but the first accepts at least one move. `accepted.next_move` was decided at column
        # `count`, before the draft went wrong, so as the first move of the redraft it is always right.
        self._moves.extend(accepted.moves)
        self._margins.extend(accepted.margins)
        # Invariant: no state is computed twice or never. That of the next move is carried over: the next pass reads
        # that move's tokens, and its columns begin after them, so nothing would compute this state and its logits
        # again.
        self._known = (self._take_states(hidden, count), all_logits[count : count + 1])
        self._state = accepted.state
        self._lead = []
        if accepted.next_move is None:
            self._states.append(self._known[0])
            self.is_finished = True
        else:
            self._draft = redraft(self._draft, chosen, accepted=accepted, row=self._row)
            self._tokens = self._window_tokens()
        return kept

    def _take_states(self, hidden: Tensor, count: int) -> Tensor:
        """Keep the states of so many moves, as stretches and not one by one; return the state after them."""
        if self._known is None:
            self._states.append(hidden[:count])
            return hidden[count : count + 1]
        if not count:
            return self._known[0]
        self._states += (self._known[0], hidden[: count - 1])
        return hidden[count - 1 : count]

    @property
    def taken(self) -> int:
        """How many states of the last pass are kept, that of the next move included."""
        return sum(map(len, self._states[self._settled :])) + 1

    def settle_states(self, *, is_sparse: bool) -> None:
        """Once after each pass: copy what is kept of it where most is not."""
        if is_sparse and self._known is not None:
            self._states[self._settled :] = [one.clone() for one in self._states[self._settled :]]
            self._known = (self._known[0].clone(), self._known[1])
        self._settled = len(self._states)

    def result(self) -> DecodedRow:
        """The finished copy."""
        return DecodedRow(tuple(self._moves), torch.tensor(self._margins), torch.cat(self._states))

    def _window_tokens(self) -> list[tuple[int, ...]]:
        """The tokens of each move that the next pass reads."""
        window = self._draft.moves[: self._window]
        return written_tokens(window, self._row, label_set=self._label_set, position=self._state.position)
