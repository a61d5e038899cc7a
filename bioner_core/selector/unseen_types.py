"""A selector extended by tags that it was not trained for."""

import torch
from torch import Tensor, nn

from bioner_core.models.unseen_tags import composed_rows
from bioner_core.selector.selector import Selector


def extend_selector(selector: Selector, weights: Tensor) -> None:
    """Give the selector a type more for each unseen tag, behind the trained ones, in place.

    *Shape:* weights (unseen, trained), as `find_unseen_tags` gives them.
    """
    types = selector.space.types.data
    selector.space.types = nn.Parameter(torch.cat((types, composed_rows(types, weights))), requires_grad=False)
