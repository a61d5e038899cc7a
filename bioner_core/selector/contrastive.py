"""The contrastive model: spans and types in one space, a span near the type that it is."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from bioner_core.selector.features import STATES_PER_SPAN

HIDDEN_SIZE = 256
SPACE_SIZE = 128


class ContrastiveSpace(nn.Module):
    """Encodes span features and types as unit vectors; their scaled cosine is the similarity."""

    def __init__(self, state_size: int, tag_count: int) -> None:
        super().__init__()
        self.normalise = nn.LayerNorm(STATES_PER_SPAN * state_size)
        self.inner = nn.Linear(STATES_PER_SPAN * state_size, HIDDEN_SIZE)
        self.outer = nn.Linear(HIDDEN_SIZE, SPACE_SIZE)
        self.types = nn.Parameter(torch.randn(tag_count, SPACE_SIZE))
        self.log_scale = nn.Parameter(torch.tensor(2.3))

    def forward(self, features: Tensor) -> Tensor:
        """Similarity of every span to every type.

        *Shape:* features (spans, 3 * hidden) -> (spans, tags).
        """
        inner = functional.gelu(self.inner(self.normalise(features)))
        spans = functional.normalize(self.outer(inner), dim=-1)
        types = functional.normalize(self.types, dim=-1)
        similarity: Tensor = spans @ types.T * self.log_scale.exp()
        return similarity


def info_nce(similarity: Tensor, tag: Tensor, is_gold: Tensor, rivals: Tensor) -> Tensor:
    """InfoNCE in both directions, over the gold spans of a batch.

    Over types: a gold span against the other types of its label set. Over spans: a gold span against every span of the
    batch that was tagged with its type and is not gold.

    *Shape:* similarity (spans, tags); tag, is_gold (spans,); rivals (spans, tags), the tags of each span's label set.
    """
    over_types = functional.cross_entropy(
        similarity[is_gold].masked_fill(~rivals[is_gold], float("-inf")), tag[is_gold]
    )
    own = similarity.gather(1, tag.unsqueeze(1)).squeeze(1)
    wrong_of_type = (tag.unsqueeze(0) == tag[is_gold].unsqueeze(1)) & ~is_gold.unsqueeze(0)
    wrong = similarity[:, tag[is_gold]].T.masked_fill(~wrong_of_type, float("-inf"))
    over_spans = (torch.logsumexp(torch.cat((own[is_gold].unsqueeze(1), wrong), dim=1), dim=1) - own[is_gold]).mean()
    return over_types + over_spans
