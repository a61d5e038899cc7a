"""A causal language model that tags: the base transformer, the added embedding rows, and what scores the moves."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bioner_core.models.attention import RaggedLayout
from bioner_core.tagging.moves import FIRST_OPEN


@dataclass(frozen=True, slots=True)
class MoveWeights:
    """What scores the moves of one label set, in float32 whatever the model's type: copy, close, one opening per type.

    *Shape:* rows (2 + types, hidden); bias (2 + types,).
    """

    rows: Tensor
    bias: Tensor


class TaggingModel(nn.Module):
    """Hidden states from token ids, and logits of moves from hidden states.

    `backbone` is a Hugging Face decoder without its head; `added_rows` embed the ids beyond the base vocabulary (tags,
    then characters); `move_rows` score the moves: copy, close, then one opening row per tag.

    With a `definition_rank` above 0 an opening move is scored also by how well the hidden state matches the one at the
    end of the type's definition in the prompt, compared in a space of that many dimensions. So a type is what its
    definition says, and tags that were never trained for it can mark it.
    """

    def __init__(self, backbone: nn.Module, *, added_size: int, tag_count: int, definition_rank: int = 0) -> None:
        super().__init__()
        self.backbone = backbone
        embedding = backbone.get_input_embeddings()  # type: ignore[operator]
        self.base_size: int = embedding.num_embeddings
        hidden_size: int = embedding.embedding_dim
        self.added_rows = nn.Parameter(torch.zeros(added_size, hidden_size))
        self.move_rows = nn.Parameter(torch.zeros(FIRST_OPEN + tag_count, hidden_size))
        self.move_bias = nn.Parameter(torch.zeros(FIRST_OPEN + tag_count))
        self.definition_keys = nn.Parameter(torch.zeros(definition_rank, hidden_size))
        self.definition_queries = nn.Parameter(torch.zeros(definition_rank, hidden_size))

    @property
    def hidden_size(self) -> int:
        """Width of the hidden states."""
        return int(self.added_rows.shape[1])

    def embed(self, ids: Tensor) -> Tensor:
        """Embeddings of token ids, the base model's or added ones.

        The base's own module is asked, not its weight: some scale what they look up (Gemma by the square root of its
        width). Added rows are held before that scale, like the base's.

        *Shape:* ids (batch, length) -> (batch, length, hidden).
        """
        base = self.backbone.get_input_embeddings()  # type: ignore[operator]
        is_added = ids >= self.base_size
        base_rows: Tensor = base(ids.masked_fill(is_added, 0))
        added_rows = functional.embedding((ids - self.base_size).clamp(min=0), self.added_rows).to(base_rows.dtype)
        return torch.where(is_added.unsqueeze(-1), added_rows * embedding_scale(base), base_rows)

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

    def move_weights(self, open_rows: Tensor, definitions: Tensor | None = None) -> MoveWeights:
        """What scores the moves of a label set.

        *Shape:* open_rows (types,), the tag index of each type; definitions (types, hidden), the hidden state at the
        end of each type's definition, or None where the model does not read them.
        """
        moves = torch.cat((torch.arange(FIRST_OPEN, device=open_rows.device), open_rows + FIRST_OPEN))
        rows, bias = self.move_rows[moves].float(), self.move_bias[moves].float()
        if definitions is None or not len(self.definition_keys):
            return MoveWeights(rows, bias)
        keys = functional.linear(_unit_rms(definitions.float()), self.definition_keys.float())
        opening = keys @ self.definition_queries.float() / len(self.definition_keys) ** 0.5
        return MoveWeights(torch.cat((rows[:FIRST_OPEN], rows[FIRST_OPEN:] + opening)), bias)

    def move_logits(self, hidden: Tensor, weights: MoveWeights) -> Tensor:
        """Logits of copy, close, and the opening moves of a label set, in float32 whatever the model's type.

        A model that reads definitions compares directions: states are scaled to a root mean square of 1. Gemma's states
        are two to three times as long as SmolLM2's, and one step of the rows moved its logits by as much more.

        *Shape:* hidden (count, hidden) -> (count, 2 + types).
        """
        states = _unit_rms(hidden.float()) if len(self.definition_keys) else hidden.float()
        return functional.linear(states, weights.rows, weights.bias)


def embedding_scale(embedding: nn.Module) -> Tensor | float:
    """What a base's embedding module multiplies its rows with, rounded as it rounds it; 1 for most."""
    scale: Tensor | float = getattr(embedding, "embed_scale", 1.0)
    return scale.to(next(embedding.parameters()).dtype) if isinstance(scale, Tensor) else scale


def _unit_rms(states: Tensor) -> Tensor:
    """States scaled to a root mean square of 1: how long they are differs from base to base and says nothing here."""
    return states * torch.rsqrt(states.square().mean(dim=-1, keepdim=True) + 1e-6)
