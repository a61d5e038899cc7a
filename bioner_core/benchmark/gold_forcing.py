"""Making a network tag as a human did, so that a decoder meets a realistic number of tags.

Where a row stands on the way of its gold copy, the gold move wins; elsewhere, in drafts that went wrong, the network's
own logits decide, so drafts are as good or bad as the network makes them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from bioner_core.benchmark.tape import shadowed
from bioner_core.decoding.decision import written_tokens
from bioner_core.decoding.rows import DecodingRow, LabelSetTokens
from bioner_core.models.tagging_model import MoveWeights, TaggingModel
from bioner_core.tagging.moves import Move

_BONUS = 1e6
"""What the gold move's logit gains: more than any network's logit."""

_GoldPlan = dict[tuple[int, ...], Move]
"""The gold move after each beginning of a row: its token ids behind the prompt's shared part."""


@contextmanager
def gold_forced(
    network: TaggingModel, rows: Sequence[DecodingRow], *, moves: Sequence[Sequence[Move]], label_set: LabelSetTokens
) -> Iterator[None]:
    """Within the block, decoding these rows with this network gives these moves. Slow; for recording, not for timing.

    The token ids of each row are kept as one more layer of its cache, and the gold move goes from the pass to the
    logits as one more column of the hidden states.
    """
    plan = _plan(rows, moves, label_set)
    own_forward, own_logits, own_weights = network.forward, network.move_logits, network.move_weights
    config: Any = network.backbone.config
    layer, shared = config.num_hidden_layers, len(label_set.prefix)

    def forward(ids: Tensor, *, position_ids: Tensor, cache: Any, ragged: Any, **rest: Any) -> Tensor:
        hidden = own_forward(ids, position_ids=position_ids, cache=cache, ragged=ragged, **rest)
        as_keys = ids.view(1, 1, -1, 1)
        tokens = cache.update(as_keys, as_keys, layer)[0][:, 0, :, 0].tolist()
        places = zip(ragged.row.tolist(), position_ids[0].tolist(), strict=True)
        forced = [plan.get(tuple(tokens[row][shared : position + 1]), -1) for row, position in places]
        column = torch.tensor(forced, device=hidden.device, dtype=hidden.dtype).view(1, -1, 1)
        return torch.cat((hidden, column), dim=-1)

    def move_logits(hidden: Tensor, weights: MoveWeights) -> Tensor:
        logits = own_logits(hidden[:, :-1], weights)
        wanted = hidden[:, -1:].long()
        return logits + _BONUS * (torch.arange(logits.shape[1], device=logits.device) == wanted)

    def move_weights(open_rows: Tensor, definitions: Tensor | None = None) -> MoveWeights:
        # the states of the prompt bear the column too
        return own_weights(open_rows, None if definitions is None else definitions[:, :-1])

    with (
        shadowed(network, "forward", replacement=forward),
        shadowed(network, "move_logits", replacement=move_logits),
        shadowed(network, "move_weights", replacement=move_weights),
    ):
        yield


def _plan(rows: Sequence[DecodingRow], moves: Sequence[Sequence[Move]], label_set: LabelSetTokens) -> _GoldPlan:
    plan: _GoldPlan = {}
    for row, made in zip(rows, moves, strict=True):
        tokens = [*row.source_ids, *row.separator]
        for move, written in zip(made, written_tokens(made, row, label_set=label_set), strict=True):
            plan.setdefault(tuple(tokens), move)
            tokens.extend(written)
    return plan
