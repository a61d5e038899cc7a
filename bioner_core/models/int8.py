"""Products in eight bits: what `--precision int8` makes of a network's linear layers. Processors only.

Weights are rounded once, per output channel; the states of each row are rounded by that row's own largest value, so an
answer never depends on the rows beside it. Sums are whole numbers and exact; everything else stays float32.

Before that, channels whose states are much larger than the others' are scaled down, and the weights that read them up
by the same factor (SmoothQuant, Xiao et al. 2023): in one layer of the default model the input of the down projection
is 2,800 times its median, and would leave nothing of the rest. The factors are powers of two, so that the scaled
network gives bit for bit the float32 answers of the one before (Gemma's norms add 1 to their weights, and round once).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from bioner_core.errors import ConfigurationError

if TYPE_CHECKING:  # whoever only times a product need not import transformers, which takes seconds
    from bioner_core.models.tagging_model import TaggingModel

_LEVELS = 127
"""States are rounded to 2 * 127 + 1 whole numbers around 128, weights to at most 127 on either side of 0."""

_ZERO = 128
"""Where 0 lies among the 256 numbers of a byte: the kernel takes states without a sign."""

_KEPT = ("v_proj",)
"""Layers that stay float32. With their rounding the default model's last states were off by 3.5 % of their length,
without it by 2.95 %, for 3 % of the multiplications. With the down projections in float32 too it would be 1.8 %, but
those are a quarter of them."""

_LEAST = 1e-9
"""Stands for 0 where something is divided by."""

_PAIR_LIMIT = 32767 / 255
"""How large two neighbouring weights may be together. Without VNNI instructions a processor adds the products of two
neighbours in 16 bits and cuts off what does not fit, without a word: 255 times this is what fits."""

# Our own sentences: only the proportions of the channels are read off them, which differ little from text to text.
_CALIBRATION_SENTENCES = (
    "Loss of the kinase in macrophages lowered the release of interleukin-6 after stimulation with lipopolysaccharide.",
    "No association was seen between the c.1799T>A variant and response to cisplatin (P = 0.43).",
    "患者因反复咳嗽、咳痰三年，加重伴气促五天入院，查体双肺可闻及湿性啰音。",
    "观察组血清肿瘤坏死因子水平低于对照组，差异有统计学意义（P<0.05）。",
)


class RowRounding:
    """States rounded to whole numbers, each row by its own largest value.

    Layers that read the same states share one: it keeps what it made of the last ones until each of its `readers` has
    asked, so that the states of queries and keys are rounded once and not twice.
    """

    def __init__(self) -> None:
        self.readers = 0
        self._waiting = 0
        self._states: Tensor | None = None
        self._found = torch.empty(0), torch.empty(0)

    def __call__(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """The whole numbers around `_ZERO`, and by how much each row was divided.

        *Shape:* (..., inputs) -> (rows, inputs) in uint8, (rows, 1).
        """
        if states is not self._states:
            rows = states.reshape(-1, states.shape[-1])
            scale = rows.abs().amax(1, keepdim=True).clamp_(min=_LEAST).div_(_LEVELS)
            self._states, self._found = states, ((rows / scale).round_().add_(_ZERO).to(torch.uint8), scale)
            self._waiting = self.readers
        found = self._found
        self._waiting -= 1
        if self._waiting < 1:
            # Kept until the next pass, the states of all layers of the default model were 490 kB for each token.
            self._states, self._found = None, (torch.empty(0), torch.empty(0))
        return found


class Int8Linear(nn.Module):
    """A linear layer whose product is computed in eight bits.

    *Shape:* (..., inputs) -> (..., outputs), float32.
    """

    def __init__(self, layer: nn.Linear, rounding: "RowRounding | None" = None) -> None:
        super().__init__()
        self._rounded = rounding or RowRounding()
        self._rounded.readers += 1
        weight = layer.weight.detach()
        scales = _weight_scales(weight)
        whole = (weight / scales[:, None]).round().clamp(-_LEVELS, _LEVELS).to(torch.int8)
        # Plain attributes: the packed layout is oneDNN's own, and a call of `.to(...)` must not touch it.
        self._packed = torch.ops.onednn.qlinear_prepack(whole, None)
        self._scales = scales
        self._zeros = torch.zeros(len(scales), dtype=torch.long)
        self._bias = None if layer.bias is None else layer.bias.detach()

    def forward(self, states: Tensor) -> Tensor:
        """The product, the rows' scales multiplied in afterwards. *Shape:* (..., in) -> (..., out)."""
        whole, scale = self._rounded(states)
        product: Tensor = torch.ops.onednn.qlinear_pointwise(
            whole, 1.0, _ZERO, self._packed, self._scales, self._zeros, None, 1.0, 0, torch.float32, "none", [], ""
        )
        product.mul_(scale)
        if self._bias is not None:
            product.add_(self._bias)
        return product.view(*states.shape[:-1], len(self._scales))


@dataclass(frozen=True, slots=True)
class _SharedStates:
    """States that several linear layers read, and the module that makes them: divide a channel of its output, and the
    same channel of the states is divided.

    *Shape:* a source of (groups * width) channels makes states of (groups * copies * width): attention gives each value
    head to `copies` query heads.
    """

    source: nn.Module
    readers: tuple[nn.Linear, ...]
    width: int = 1
    copies: int = 1


def quantise(network: "TaggingModel", tokenizer: Any) -> None:
    """Replace the linear layers of the network's decoder layers by products in eight bits, in place.

    Raises:
        ConfigurationError: this torch has no such product for this processor.
    """
    if not int8_is_possible():
        raise ConfigurationError("precision int8: this torch has no products in eight bits for this processor")
    layers = list(network.backbone.layers)  # type: ignore[arg-type]
    smooth(layers, largest_states(network, tokenizer))
    for layer in layers:
        roundings: dict[nn.Module, RowRounding] = {}
        for states in _shared_states(layer):
            roundings |= dict.fromkeys(states.readers, RowRounding())
        swap_linear_layers(layer, roundings, kept=_KEPT)


def swap_linear_layers(
    network: nn.Module, roundings: Mapping[nn.Module, RowRounding] = MappingProxyType({}), *, kept: Sequence[str] = ()
) -> None:
    """Put an `Int8Linear` in the place of each linear layer, in place; those whose name is in `kept` stay."""
    for owner in list(network.modules()):
        for name, child in list(owner.named_children()):
            if isinstance(child, nn.Linear) and name not in kept:
                setattr(owner, name, Int8Linear(child, roundings.get(child)))


def largest_states(network: "TaggingModel", tokenizer: Any) -> dict[nn.Module, Tensor]:
    """Per linear layer the largest absolute value of each channel that it reads, over a few sentences of our own.

    *Shape:* per layer (inputs,).
    """
    found: dict[nn.Module, Tensor] = {}

    def look(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        largest = inputs[0].detach().abs().flatten(0, -2).amax(0)
        found[layer] = torch.maximum(found[layer], largest) if layer in found else largest

    hooks = [one.register_forward_pre_hook(look) for one in network.backbone.modules() if isinstance(one, nn.Linear)]
    try:
        with torch.inference_mode():
            for sentence in _CALIBRATION_SENTENCES:
                ids = torch.tensor([tokenizer.encode(sentence, add_special_tokens=False)])
                mask, positions = torch.ones_like(ids), torch.arange(ids.shape[1])[None]
                network(ids, attention_mask=mask, position_ids=positions, cache=None)
    finally:
        for one in hooks:
            one.remove()
    return found


def smooth(layers: Iterable[nn.Module], largest: Mapping[nn.Module, Tensor]) -> None:
    """Move the large channels of states into the weights that read them; the network's answers stay the same.

    Modules whose layout is not known are left as they are, and only cost digits.
    """
    with torch.no_grad():
        for layer in layers:
            for states in _shared_states(layer):
                _smooth(states, largest)


def _shared_states(layer: Any) -> Iterator[_SharedStates]:
    attention, inner = layer.self_attn, layer.mlp
    if all(hasattr(attention, name) for name in ("q_proj", "k_proj", "v_proj", "o_proj")):
        yield _SharedStates(layer.input_layernorm, (attention.q_proj, attention.k_proj, attention.v_proj))
        copies = attention.o_proj.in_features // attention.v_proj.out_features
        yield _SharedStates(attention.v_proj, (attention.o_proj,), width=attention.head_dim, copies=copies)
    if all(hasattr(inner, name) for name in ("gate_proj", "up_proj", "down_proj")):
        before = getattr(layer, "pre_feedforward_layernorm", layer.post_attention_layernorm)
        yield _SharedStates(before, (inner.gate_proj, inner.up_proj))
        yield _SharedStates(inner.up_proj, (inner.down_proj,))


def _smooth(states: _SharedStates, largest: Mapping[nn.Module, Tensor]) -> None:
    """Divide each channel by the root of how large its states are against its weights, as SmoothQuant does."""
    read = largest[states.readers[0]]
    weights = torch.stack([one.weight.abs().amax(0) for one in states.readers]).amax(0)
    channels = (-1, states.copies, states.width)
    of_states, of_weights = (one.view(channels).amax(1).flatten().clamp(min=_LEAST).log2() for one in (read, weights))
    ratio = (of_states - of_weights) / 2
    factors = torch.exp2((ratio - ratio.mean()).round())
    _divide_output(states.source, factors)
    copied = factors.view(-1, 1, states.width).expand(-1, states.copies, -1).flatten()
    for one in states.readers:
        one.weight.mul_(copied)


def _divide_output(source: nn.Module, factors: Tensor) -> None:
    weight: Any = source.weight
    if isinstance(source, nn.Linear):
        weight.div_(factors[:, None])
        if source.bias is not None:
            source.bias.div_(factors)
        return
    # A norm multiplies with its weight, or as in Gemma with 1 + its weight: asked, not known by name.
    added = (source(torch.ones_like(weight)) - weight).mean().round()
    weight.add_(added).div_(factors).sub_(added)


def _weight_scales(weight: Tensor) -> Tensor:
    """The scale of each output channel: what its largest weight needs, or its largest pair of neighbours."""
    pairs = nn.functional.pad(weight, (0, weight.shape[1] % 2)).view(len(weight), -1, 2)
    upper, lower = pairs.clamp(min=0).sum(-1).amax(1), pairs.clamp(max=0).sum(-1).amin(1).neg()
    largest = weight.abs().amax(1) / _LEVELS
    return torch.maximum(torch.maximum(upper, lower) / _PAIR_LIMIT, largest).clamp(min=_LEAST)


@cache
def int8_is_possible() -> bool:
    """Whether this torch has products in eight bits for this processor, and they are right."""
    layer, states = nn.Linear(8, 4), torch.ones(2, 8)
    try:
        with torch.inference_mode():
            return torch.allclose(Int8Linear(layer)(states), layer(states), atol=0.1)
    except (RuntimeError, NotImplementedError, AttributeError):
        return False
