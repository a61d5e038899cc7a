"""The one rule of decoding: of the legal moves take the one with the highest logit, the first of equals."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bioner_core.decoding.rows import DecodingRow, LabelSetTokens
from bioner_core.models.tagging_model import MoveWeights, TaggingModel
from bioner_core.tagging.moves import CLOSE, COPY, FIRST_OPEN, Move, TagState, opened_type

Logits = NDArray[np.float32]
"""Logits of all moves at one position, in float32. *Shape:* (2 + types,)."""


def decide(logits: Logits, state: TagState, row: DecodingRow) -> tuple[Move, float]:
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


def move_tokens(move: Move, state: TagState, row: DecodingRow, label_set: LabelSetTokens) -> tuple[int, ...]:
    """The token ids that a move writes."""
    if move == COPY:
        return row.unit_ids[state.position]
    if move == CLOSE:
        return (label_set.close_id,)
    return (label_set.open_ids[opened_type(move)],)


def tokens_of_moves(
    moves: Iterable[Move], state: TagState, row: DecodingRow, *, label_set: LabelSetTokens
) -> list[tuple[int, ...]]:
    """The token ids that each of some moves writes, made one after the other from a state on."""
    found = []
    for move in moves:
        found.append(move_tokens(move, state, row, label_set))
        state = state.after(move)
    return found


def logits_of(model: TaggingModel, hidden: Tensor, weights: MoveWeights, *, open_bias: float) -> Logits:
    """Logits of all moves from hidden states, on the CPU, those of opening moves raised by a bias.

    *Shape:* hidden (count, hidden) -> (count, 2 + types).
    """
    found: Logits = model.move_logits(hidden, weights).cpu().numpy()
    # Invariant: logits are compared and biased in float32 on the CPU, whatever the model computes in: in bfloat16
    # logits of 8 and above are 1/16 apart or more, so that real differences would become ties.
    raised = np.zeros(found.shape[1], dtype=np.float32)
    raised[FIRST_OPEN:] = open_bias
    return found + raised
