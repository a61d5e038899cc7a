"""The same tagging as an outsider would write it: Hugging Face `generate` with a function of allowed tokens.

The head that a plain causal language model has is built from the move rows: every token that can be copied gets the row
of the copying move, the tags get theirs. Among the tokens that the function allows only one is a copy, so the most
likely allowed token is the decision that our decoders take. The work is that of an outsider: each row reads the whole
prompt, padded at the left; each step gives logits of the whole vocabulary; the function is asked row by row.
"""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModelForCausalLM

from bioner_core.benchmark.sentences import Answer, SentenceBatch
from bioner_core.decoding.decision import move_tokens
from bioner_core.decoding.decoder import PromptCaches
from bioner_core.decoding.rows import DecodingRow, LabelSetTokens
from bioner_core.models.tagging_model import TaggingModel, embedding_scale
from bioner_core.tagging.moves import CLOSE, COPY, FIRST_OPEN, MAX_DEPTH, Move, TagState

_OUTSIDERS_ATTENTION = "sdpa"
"""What `from_pretrained` chooses when nothing is said."""


class CopyConstraint:
    """The function of allowed tokens: the next token of the source, or a tag where one is legal; then the end.

    With `plans`, the moves of each row, only what is planned is allowed.
    """

    def __init__(
        self,
        rows: Sequence[DecodingRow],
        label_set: LabelSetTokens,
        *,
        prompt_length: int,
        end_id: int,
        plans: Answer | None = None,
    ) -> None:
        self._copies = [
            _ConstrainedCopy(row, label_set, plans[index] if plans is not None else None)
            for index, row in enumerate(rows)
        ]
        self._prompt_length = prompt_length
        self._end_id = end_id

    def __call__(self, row: int, ids: Tensor) -> list[int]:
        """The token ids that may come after these. *Shape:* ids (length,)."""
        copy_so_far = self._copies[row]
        copy_so_far.read(ids[self._prompt_length :].tolist())
        return copy_so_far.allowed() or [self._end_id]

    @property
    def moves(self) -> Answer:
        """The moves of each row so far."""
        return [tuple(one.moves) for one in self._copies]


class _ConstrainedCopy:
    def __init__(self, row: DecodingRow, label_set: LabelSetTokens, plan: Sequence[Move] | None) -> None:
        self._row = row
        self._plan = plan
        self._label_set = label_set
        self._state = TagState()
        self._middle_of_unit: list[int] = []
        self._tokens_read = 0
        self.moves: list[Move] = []

    def read(self, tokens: Sequence[int]) -> None:
        """Take note of what was generated since the last time."""
        for token in tokens[self._tokens_read :]:
            if self._middle_of_unit:
                self._middle_of_unit.pop(0)
            elif self._legal():
                move = self._legal()[token]
                self._middle_of_unit = list(
                    move_tokens(move, self._state, row=self._row, label_set=self._label_set)[1:]
                )
                self._state = self._state.after(move)
                self.moves.append(move)
        self._tokens_read = len(tokens)

    def allowed(self) -> list[int]:
        """The tokens that may come next; none when the copy is finished."""
        return self._middle_of_unit[:1] or list(self._legal())

    def _legal(self) -> dict[int, Move]:
        """The legal moves by the token with which each begins."""
        moves: Sequence[Move] = self._state.legal_moves(len(self._row.unit_ids), self._row.type_indices)
        if self._plan is not None:
            moves = self._plan[len(self.moves) :][:1]
        return {move_tokens(move, self._state, row=self._row, label_set=self._label_set)[0]: move for move in moves}


class GenerateContender:
    """`generate` over a language model with a whole head, on some of the batches.

    With `plans`, by the batch's index, it writes what is planned: for networks whose own choices mean nothing.
    """

    name = "generate"

    def __init__(
        self,
        network: TaggingModel,
        label_set: LabelSetTokens,
        batches: frozenset[int],
        *,
        plans: Sequence[Answer] | None = None,
    ) -> None:
        self._plans = plans
        self._label_set = label_set
        self._batches = batches
        self._end_id = network.base_size + len(network.added_rows)
        self._model = language_model(network, label_set)

    def takes(self, batch: SentenceBatch) -> bool:
        """Only the batches that it was given."""
        return batch.index in self._batches

    @torch.inference_mode()
    def run(self, batch: SentenceBatch) -> Answer:
        """Generate the copies of a batch."""
        rows = batch.rows
        prompts = [torch.tensor([*self._label_set.prefix, *row.source_ids, *row.separator]) for row in rows]
        ids = pad_sequence(prompts, batch_first=True, padding_value=self._end_id, padding_side="left")
        mask = pad_sequence([torch.ones_like(one) for one in prompts], batch_first=True, padding_side="left")
        plans = None if self._plans is None else self._plans[batch.index]
        constraint = CopyConstraint(rows, self._label_set, prompt_length=ids.shape[1], end_id=self._end_id, plans=plans)
        place = self._model.device
        self._model.generate(
            input_ids=ids.to(place),
            attention_mask=mask.to(place),
            prefix_allowed_tokens_fn=constraint,
            max_new_tokens=1 + (1 + 2 * MAX_DEPTH) * max(len(row.source_ids) for row in rows),
            do_sample=False,
            pad_token_id=self._end_id,
            eos_token_id=self._end_id,
        )
        return constraint.moves


def language_model(network: TaggingModel, label_set: LabelSetTokens) -> Any:
    """A causal language model with a whole head that shares the network's layers; its last id is the end of text."""
    # Parameters are entered as already copied: new modules around the same weights.
    shared = {id(one): one for one in (*network.backbone.parameters(), *network.backbone.buffers())}
    backbone: Any = copy.deepcopy(network.backbone, shared)
    embedding = _whole_embedding(network)
    backbone.set_input_embeddings(embedding)
    config = copy.deepcopy(backbone.config)
    config.vocab_size = embedding.num_embeddings
    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(config)
    setattr(model, model.base_model_prefix, backbone)
    model.set_output_embeddings(_whole_head(network, label_set))
    model.set_attn_implementation(_OUTSIDERS_ATTENTION)
    return model.eval()


def _whole_embedding(network: TaggingModel) -> nn.Embedding:
    base: nn.Embedding = network.backbone.get_input_embeddings()  # type: ignore[operator]
    end = torch.zeros_like(base.weight[:1])
    # The new module looks up and does not scale, so the rows are scaled here.
    rows = torch.cat((base.weight, network.added_rows.to(base.weight.dtype), end)) * embedding_scale(base)
    embedding: nn.Embedding = nn.Embedding.from_pretrained(rows)  # type: ignore[no-untyped-call]
    return embedding


def _whole_head(network: TaggingModel, label_set: LabelSetTokens) -> nn.Linear:
    """Logits of all token ids: those of the moves that they begin."""
    total = network.base_size + len(network.added_rows) + 1
    move_of = torch.full((total,), COPY, device=network.move_rows.device)
    move_of[label_set.close_id] = CLOSE
    for place, token in enumerate(label_set.open_ids):
        move_of[token] = FIRST_OPEN + place
    weights = PromptCaches(network).move_weights(label_set)
    head = nn.Linear(network.hidden_size, total, bias=True, device="meta")
    head.weight = nn.Parameter(weights.rows[move_of].to(network.move_rows.dtype), requires_grad=False)
    head.bias = nn.Parameter(weights.bias[move_of].to(network.move_rows.dtype), requires_grad=False)
    return head
