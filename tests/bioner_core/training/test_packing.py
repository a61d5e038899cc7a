"""Rows in one pass without padding: each sees the prompt and itself, nothing else."""

import pytest
import torch
from torch import Tensor
from transformers import DynamicCache

from bioner_core.models.attention import GROUPED_ATTENTION, SDPA_ATTENTION
from bioner_core.models.tagging_model import TaggingModel
from bioner_core.training.packing import PromptBefore, packed_rows
from tests.bioner_core.random_networks import ARCHITECTURES, random_network

PROMPT = list(b"Mark genes:")
ROWS = [list(b"p53"), list(b"a longer row of bytes"), list(b"x")]


def read(network: TaggingModel, ids: list[int], cache: DynamicCache | None = None) -> Tensor:
    """The states of a text of its own."""
    tokens, positions = torch.tensor([ids]), torch.arange(len(ids))[None]
    return network(tokens, attention_mask=torch.ones_like(tokens), position_ids=positions, cache=cache)[0]


def read_packed(network: TaggingModel) -> list[Tensor]:
    """The states of each row, all in one pass."""
    length = max(map(len, ROWS))
    ids, mask = torch.zeros(len(ROWS), length, dtype=torch.long), torch.zeros(len(ROWS), length, dtype=torch.long)
    for row, one in enumerate(ROWS):
        ids[row, : len(one)], mask[row, : len(one)] = torch.tensor(one), 1
    prompt = DynamicCache()
    read(network, PROMPT, prompt)
    layout = packed_rows(mask, prompt_length=len(PROMPT), dtype=torch.float32)
    states = network(
        ids.flatten()[layout.place][None],
        attention_mask=layout.mask,
        position_ids=layout.position.flatten()[layout.place][None],
        cache=PromptBefore(prompt, layout),
        ragged=layout,
    )[0]
    return list(states.split([len(one) for one in ROWS]))


@pytest.mark.parametrize("attention", [GROUPED_ATTENTION, SDPA_ATTENTION])
@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_each_row_is_read_as_if_it_stood_alone_behind_the_prompt(name: str, attention: str) -> None:
    """Would catch a row that sees its neighbour, a wrong position, a window that is counted from the row's beginning,
    and gradients that do not reach the prompt."""
    network = random_network(name, attention=attention, spread=0.3)
    gradients = []
    for packed in (True, False):
        states = read_packed(network) if packed else [read(network, PROMPT + one)[len(PROMPT) :] for one in ROWS]
        network.zero_grad()
        torch.cat(states).square().mean().backward()
        embedding = network.backbone.get_input_embeddings().weight  # type: ignore[operator]
        gradients.append((torch.cat(states).detach(), embedding.grad.clone()))
    for found, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
    in_prompt_alone = ord("M")
    assert gradients[0][1][in_prompt_alone].abs().sum() > 0
