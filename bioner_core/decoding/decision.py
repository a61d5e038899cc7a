"""The one rule of decoding: of the legal moves take the one with the highest logit, the first of equals."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bioner_core.decoding.rows import DecodingRow, LabelSetTokens
from bioner_core.models.tagging_model import MoveWeights, TaggingModel
from bioner_core.tagging.moves import CLOSE, COPY, FIRST_OPEN, MAX_DEPTH, Move, TagState, tokens_of_moves

Logits = NDArray[np.float32]
"""Logits of all moves at one position, in float32. *Shape:* (2 + types,), of several positions (count, 2 + types)."""


def decide(logits: Logits, state: TagState, *, row: DecodingRow) -> tuple[Move, float]:
    """The best legal move, and its margin over the best legal rival (infinite when there is none)."""
    legal = state.legal_moves(len(row.unit_ids), row.type_indices)
    if len(legal) == 1:
        return legal[0], float("inf")
    scores = [float(logits[move]) for move in legal]
    # Invariant: of equal logits the first legal move wins, in every decoder: `max` keeps the first. Otherwise two
    # decoders would part at a tie.
    best = max(range(len(legal)), key=scores.__getitem__)
    rival = max(score for index, score in enumerate(scores) if index != best)
    return legal[best], scores[best] - rival


class ChosenMoves:
    """What `decide` would say at each of some positions of one row, found for all of them at once.

    Two answers a position are enough: one where a tag may close, one where it may not. A decoder of hundreds of rows
    would spend more time on Python's steps from move to move than a GPU on the pass.
    """

    def __init__(self, logits: Logits | Sequence[Logits], row: DecodingRow) -> None:
        self.logits = np.asarray(logits, dtype=np.float32)
        self._row = row
        opens = [FIRST_OPEN + one for one in row.type_indices]
        self.closed, self.closed_margins = _best(self.logits, [COPY, *opens])
        self.open, self.open_margins = _best(self.logits, [COPY, CLOSE, *opens])

    def __len__(self) -> int:
        return len(self.logits)

    def decide(self, index: int, state: TagState) -> tuple[Move, float]:
        """The best legal move at a position from this state, and its margin: `decide`'s answer."""
        if state.position == len(self._row.unit_ids) or len(state.stack) >= MAX_DEPTH:
            return decide(self.logits[index], state, row=self._row)
        if state.stack and state.stack[-1].start < state.position:
            return self.open[index], self.open_margins[index]
        return self.closed[index], self.closed_margins[index]

    def copies(self, moves: Sequence[Move], state: TagState, *, start: int, stop: int) -> list[float]:
        """The margins of the copies from `start` on, behind a copy, that these moves make and that are chosen too.

        Ends at the first other move, at `stop`, and with the source.
        """
        if len(state.stack) >= MAX_DEPTH:
            return []
        chosen, margins = (self.open, self.open_margins) if state.stack else (self.closed, self.closed_margins)
        stop, end = min(stop, start + len(self._row.unit_ids) - state.position), start
        while end < stop and moves[end] == COPY == chosen[end]:
            end += 1
        return margins[start:end]


def _best(logits: Logits, moves: list[Move]) -> tuple[list[Move], list[float]]:
    """The best of these moves in each line, the first of equals, and its margin over the next."""
    found = logits[:, moves].astype(np.float64)
    best = found.argmax(axis=1)
    if len(moves) == 1:
        return [moves[0]] * len(found), [float("inf")] * len(found)
    two = np.partition(found, len(moves) - 2, axis=1)[:, -2:]
    return [moves[place] for place in best.tolist()], (two[:, 1] - two[:, 0]).tolist()


def move_tokens(move: Move, state: TagState, *, row: DecodingRow, label_set: LabelSetTokens) -> tuple[int, ...]:
    """The token ids that one move writes from a state."""
    (written,) = written_tokens([move], row, label_set=label_set, position=state.position)
    return written


def written_tokens(
    moves: Iterable[Move], row: DecodingRow, *, label_set: LabelSetTokens, position: int = 0
) -> list[tuple[int, ...]]:
    """The token ids that each of some moves of a row writes, made one after the other from this unit on."""
    return tokens_of_moves(
        moves, row.unit_ids, open_ids=label_set.open_ids, close_id=label_set.close_id, position=position
    )


def logits_of(model: TaggingModel, hidden: Tensor, *, weights: MoveWeights, open_bias: float) -> Logits:
    """Logits of all moves from hidden states, on the CPU, those of opening moves raised by a bias.

    *Shape:* hidden (count, hidden) -> (count, 2 + types).
    """
    found: Logits = model.move_logits(hidden, weights).cpu().numpy()
    # Invariant: logits are compared and biased in float32 on the CPU, whatever the model computes in: in bfloat16
    # logits of 8 and above are 1/16 apart or more, so that real differences would become ties.
    raised = np.zeros(found.shape[1], dtype=np.float32)
    raised[FIRST_OPEN:] = open_bias
    return found + raised
