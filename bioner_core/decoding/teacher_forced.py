"""One pass over prompt and finished copies: the states of moves that are already known.

It is what training sees, what the selector learns from, and the floor of decoding: no method that reads its own output
can do with less.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from bioner_core.decoding.decision import move_tokens, padded_ids
from bioner_core.decoding.decoder import PromptCaches
from bioner_core.decoding.rows import DecodingRow, LabelSetTokens
from bioner_core.tagging.moves import Move, TagState

_LENGTH_MULTIPLE = 16


@torch.inference_mode()
def teacher_forced_states(
    prompts: PromptCaches, rows: Sequence[DecodingRow], moves: Sequence[Sequence[Move]], *, label_set: LabelSetTokens
) -> list[Tensor]:
    """The state before each move of each copy, and the state after the last.

    *Shape:* one (moves + 1, hidden) a row.
    """
    cache = prompts.start(label_set, len(rows))
    blocks, columns = [], []
    for row, made in zip(rows, moves, strict=True):
        block, ends = _block(row, made, label_set)
        blocks.append(block)
        columns.append(ends)
    ids, lengths = padded_ids(blocks, device=prompts.model.added_rows.device, multiple=_LENGTH_MULTIPLE)
    hidden = cache.feed(ids, lengths)
    return [hidden[index, ends] for index, ends in enumerate(columns)]


def _block(row: DecodingRow, moves: Sequence[Move], label_set: LabelSetTokens) -> tuple[list[int], list[int]]:
    """The row's token ids, and the columns of the last token before each move and after the last."""
    block = [*row.source_ids, *row.separator]
    ends = [len(block) - 1]
    state = TagState()
    for move in moves:
        block.extend(move_tokens(move, state, row, label_set))
        ends.append(len(block) - 1)
        state = state.after(move)
    return block, ends
