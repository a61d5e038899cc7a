"""What the selector sees of a candidate: hidden states that the decoder has already computed."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from bioner_core.tagging.moves import TagPair

STATES_PER_SPAN = 3


def span_features(states: Tensor, pairs: Sequence[TagPair]) -> Tensor:
    """States after the opening tag, after the last unit of the span, and after the closing tag, side by side.

    *Shape:* states (moves + 1, hidden) -> (pairs, 3 * hidden), float32.
    """
    return features_of_rows([states], [pairs])


def features_of_rows(states: Sequence[Tensor], pairs: Sequence[Sequence[TagPair]]) -> Tensor:
    """The same for the spans of several rows, one row after another: a GPU is asked once for all of them.

    *Shape:* states (moves + 1, hidden) a row -> (pairs of all rows, 3 * hidden), float32.
    """
    starts = itertools.accumulate(map(len, states), initial=0)
    places = [
        (start + pair.open_index + 1, start + pair.close_index, start + pair.close_index + 1)
        for start, found in zip(starts, pairs, strict=False)
        for pair in found
    ]
    table = states[0] if len(states) == 1 else torch.cat(list(states))
    chosen = table[torch.tensor(places, dtype=torch.long, device=table.device).view(-1)]
    return chosen.view(len(places), STATES_PER_SPAN * table.shape[1]).float()
