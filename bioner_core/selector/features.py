"""What the selector sees of a candidate: hidden states that the decoder has already computed."""

from collections.abc import Sequence

import torch
from torch import Tensor

from bioner_core.tagging.moves import TagPair

STATES_PER_SPAN = 3


def span_features(states: Tensor, pairs: Sequence[TagPair]) -> Tensor:
    """States after the opening tag, after the last unit of the span, and after the closing tag, side by side.

    *Shape:* states (moves + 1, hidden) -> (pairs, 3 * hidden), float32.
    """
    opened = torch.tensor([pair.open_index + 1 for pair in pairs], dtype=torch.long, device=states.device)
    closed = torch.tensor([pair.close_index for pair in pairs], dtype=torch.long, device=states.device)
    return torch.cat((states[opened], states[closed], states[closed + 1]), dim=1).float()
