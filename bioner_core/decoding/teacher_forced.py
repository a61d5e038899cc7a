"""One pass over prompt and finished copies: the states of moves that are already known.

It is what training sees, what the selector learns from, and the floor of decoding: no method that reads its own output
can do with less.
"""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from bioner_core.decoding.decision import written_tokens
from bioner_core.decoding.decoder import PromptCaches
from bioner_core.decoding.rows import DecodingRow, LabelSetTokens
from bioner_core.tagging.moves import Move


@torch.inference_mode()
def teacher_forced_states(
    prompts: PromptCaches, rows: Sequence[DecodingRow], *, moves: Sequence[Sequence[Move]], label_set: LabelSetTokens
) -> list[Tensor]:
    """The state before each move of each copy, and the state after the last.

    *Shape:* one (moves + 1, hidden) a row.
    """
    cache, leads = prompts.begin(label_set, rows)
    blocks, columns = [], []
    for row, lead, made in zip(rows, leads, moves, strict=True):
        block, ends = _block(row, lead, made, label_set=label_set)
        blocks.append(block)
        columns.append(ends)
    by_row = torch.split(cache.feed(blocks), [len(block) for block in blocks])
    return [hidden[ends] for hidden, ends in zip(by_row, columns, strict=True)]


def _block(
    row: DecodingRow, lead: Sequence[int], moves: Sequence[Move], *, label_set: LabelSetTokens
) -> tuple[list[int], list[int]]:
    """The row's token ids, and the columns of the last token before each move and after the last."""
    written = written_tokens(moves, row, label_set=label_set)
    lengths = itertools.accumulate(map(len, written), initial=len(lead))
    return [*lead, *itertools.chain.from_iterable(written)], [length - 1 for length in lengths]
