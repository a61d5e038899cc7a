"""Products in eight bits: close to float32, never dependent on batch-mates, and smoothed without changing an answer."""

import gc

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from bioner_core.errors import ConfigurationError
from bioner_core.models import int8
from bioner_core.models.int8 import Int8Linear, RowRounding, int8_is_possible, largest_states, quantise, smooth
from bioner_core.models.tagging_model import TaggingModel
from tests.bioner_core.random_networks import ARCHITECTURES, random_network
from tests.bioner_core.tiny_model import byte_level_tokenizer

pytestmark = pytest.mark.skipif(not int8_is_possible(), reason="this torch has no products in eight bits here")


def uneven_network(name: str, *, spread: float = 6.0) -> TaggingModel:
    """A random network with biases, and norms of which some channels are up to 2^spread larger."""
    network = random_network(name).eval().requires_grad_(False)
    for part in network.backbone.modules():
        if isinstance(part, nn.Linear) and part.bias is not None:
            nn.init.normal_(part.bias, std=0.2)
        elif "Norm" in type(part).__name__:
            part.weight.add_(torch.rand_like(part.weight)).mul_(torch.rand_like(part.weight).mul_(spread).exp2_())
    return network


def hidden_states(network: TaggingModel) -> Tensor:
    """What the network makes of a fixed text."""
    ids = torch.tensor([list(b"p53 binds the promoter")])
    positions = torch.arange(ids.shape[1])[None]
    with torch.inference_mode():
        return network(ids, attention_mask=torch.ones_like(ids), position_ids=positions, cache=None)


def difference(found: Tensor, expected: Tensor) -> float:
    """The difference as a share of what is expected."""
    return float((found - expected).norm() / expected.norm())


@given(rows=st.integers(1, 40), inputs=st.integers(1, 65), outputs=st.integers(1, 33), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_a_product_is_close_and_knows_nothing_of_the_rows_beside_it(
    rows: int, inputs: int, outputs: int, seed: int
) -> None:
    """Would catch one scale for a whole batch, with which a sentence's mentions depend on its batch-mates, and sums
    that are cut off in 16 bits, which shows with large weights of one sign side by side."""
    torch.manual_seed(seed)
    layer = nn.Linear(inputs, outputs)
    nn.init.constant_(layer.weight, 1.0) if seed % 3 == 0 else nn.init.normal_(layer.weight)
    states = torch.randn(rows, inputs) * torch.randn(rows, 1).mul(4).exp2()
    with torch.inference_mode():
        product = Int8Linear(layer)
        together, expected = product(states), layer(states)
        alone = torch.cat([product(one[None]) for one in states])
    assert torch.equal(together, alone)
    # Each factor is off by at most half a step, and a pair of neighbours makes a step twice as large.
    steps = states.abs().amax(1, keepdim=True) / 127, 2 * layer.weight.abs().amax(1) / 127
    bound = steps[0] * layer.weight.abs().sum(1) + steps[1] * states.abs().sum(1, keepdim=True)
    assert bool(((together - expected).abs() <= bound + 1e-5).all())


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_smoothing_changes_no_answer_and_brings_the_channels_together(name: str) -> None:
    """Would catch a factor that is divided out of the wrong module (Gemma's norms multiply with 1 + their weight, value
    heads are shared by query heads, biases are scaled too) and one that is not divided out at all."""
    network, tokenizer = uneven_network(name), byte_level_tokenizer()
    before, spread = hidden_states(network), _spread(largest_states(network, tokenizer))
    smooth(network.backbone.layers, largest_states(network, tokenizer))
    assert difference(hidden_states(network), before) < (1e-5 if name == "gemma3" else 1e-7)
    assert _spread(largest_states(network, tokenizer)) < spread


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_a_whole_network_in_eight_bits_is_near_the_one_in_float32(name: str) -> None:
    """Would catch a layer that is left out, or one that is computed wrongly in an architecture of another layout."""
    network = uneven_network(name, spread=1.0)
    before = hidden_states(network)
    quantise(network, byte_level_tokenizer())
    kinds = {name.split(".")[-1]: type(one) for name, one in network.backbone.named_modules()}
    assert {name for name, kind in kinds.items() if kind is nn.Linear} == {"v_proj"}
    assert list(kinds.values()).count(Int8Linear) >= 5
    assert 0 < difference(hidden_states(network), before) < 0.1


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_nothing_of_a_pass_is_kept(name: str) -> None:
    """Would catch rounded states that stay until the next pass: 490 kB for each token of the default model."""
    network = uneven_network(name, spread=1.0)
    quantise(network, byte_level_tokenizer())
    hidden_states(network)
    kept = [one for one in gc.get_objects() if type(one) is Tensor and one.dtype is torch.uint8 and one.numel()]
    assert kept == []


def test_states_are_rounded_once_for_all_their_readers() -> None:
    """Would catch states that are dropped before the last layer has read them, and rounded again for each."""
    rounding, states = RowRounding(), torch.randn(3, 8)
    products = [Int8Linear(nn.Linear(8, 4), rounding) for _ in range(2)]
    assert rounding(states)[0] is rounding(states)[0]
    assert rounding(states)[0] is not rounding(torch.randn(3, 8))[0]
    with torch.inference_mode():
        first, second = (product(states) for product in products)
        assert torch.equal(first, products[0](states))
        assert torch.equal(second, products[1](states))


def test_a_processor_without_such_products_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a traceback of torch, or wrong answers, on a processor for which torch has no such products."""
    monkeypatch.setattr(int8, "int8_is_possible", lambda: False)
    with pytest.raises(ConfigurationError, match="precision int8: this torch has no products in eight bits"):
        quantise(uneven_network("llama"), byte_level_tokenizer())


def _spread(largest: dict[nn.Module, Tensor]) -> float:
    """How far the largest channel is above the usual one, over all layers."""
    return sum(float(one.max() / one.median()) for one in largest.values())
