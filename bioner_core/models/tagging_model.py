"""A causal language model that tags: the base transformer, the added embedding rows, and the rows of the moves."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bioner_core.models.attention import RaggedLayout
from bioner_core.tagging.moves import FIRST_OPEN


class TaggingModel(nn.Module):
    """Hidden states from token ids, and logits of moves from hidden states.

    `backbone` is a Hugging Face decoder without its head; `added_rows` embed the ids beyond the base vocabulary (tags,
    then characters); `move_rows` score the moves: copy, close, then one opening row per tag.
    """

    def __init__(self, backbone: nn.Module, *, added_size: int, tag_count: int) -> None:
        super().__init__()
        self.backbone = backbone
        embedding = backbone.get_input_embeddings()  # type: ignore[operator]
        self.base_size: int = embedding.num_embeddings
        hidden_size: int = embedding.embedding_dim
        self.added_rows = nn.Parameter(torch.zeros(added_size, hidden_size))
        self.move_rows = nn.Parameter(torch.zeros(FIRST_OPEN + tag_count, hidden_size))
        self.move_bias = nn.Parameter(torch.zeros(FIRST_OPEN + tag_count))

    @property
    def hidden_size(self) -> int:
        """Width of the hidden states."""
        return int(self.added_rows.shape[1])

    def embed(self, ids: Tensor) -> Tensor:
        """Embeddings of token ids, the base model's or added ones.

        *Shape:* ids (batch, length) -> (batch, length, hidden).
        """
        base = self.backbone.get_input_embeddings()  # type: ignore[operator]
        is_added = ids >= self.base_size
        base_rows = functional.embedding(ids.masked_fill(is_added, 0), base.weight)
        added_rows = functional.embedding((ids - self.base_size).clamp(min=0), self.added_rows).to(base_rows.dtype)
        return torch.where(is_added.unsqueeze(-1), added_rows, base_rows)

    def forward(
        self,
        ids: Tensor,
        *,
        attention_mask: Tensor,
        position_ids: Tensor,
        cache: Any,
        ragged: RaggedLayout | None = None,
    ) -> Tensor:
        """Run the transformer over new tokens after what the cache holds; the cache grows by them.

        With a `ragged` layout the tokens of all rows stand side by side in a batch of one.

        *Shape:* ids, position_ids (batch, length); attention_mask (batch, cached + length), 1 where a slot counts, or
        the layout's own mask -> hidden states (batch, length, hidden).
        """
        # Models that do not know the layout pass it on untouched to their attention; others never see the argument.
        layout = {} if ragged is None else {"ragged": ragged}
        output = self.backbone(
            inputs_embeds=self.embed(ids),
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=cache,
            use_cache=cache is not None,
            **layout,
        )
        hidden: Tensor = output.last_hidden_state
        return hidden

    def move_logits(self, hidden: Tensor, open_rows: Tensor) -> Tensor:
        """Logits of copy, close, and the opening moves of a label set, in float32 whatever the model's type.

        *Shape:* hidden (count, hidden); open_rows (types,), the tag index of each type -> (count, 2 + types).
        """
        rows = torch.cat((torch.arange(FIRST_OPEN, device=open_rows.device), open_rows + FIRST_OPEN))
        weights = self.move_rows[rows].float()
        return functional.linear(hidden.float(), weights, self.move_bias[rows].float())
