"""What a way of decoding sends through its network: tokens, and the padding around them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from bioner_core.models.tagging_model import TaggingModel


@dataclass(slots=True)
class Traffic:
    """`tokens` that went through the network, and the `slots` that they took in attention, padding included."""

    tokens: int = 0
    slots: int = 0

    @property
    def padding(self) -> float:
        """Share of the slots that held no token; 0 when nothing was sent."""
        return 1.0 - self.tokens / self.slots if self.slots else 0.0


@contextmanager
def counted(network: TaggingModel) -> Iterator[Traffic]:
    """Within the block, count what goes through the network. The layers but attention see no padding at all."""
    traffic = Traffic()

    def count(_: nn.Module, arguments: tuple[Tensor, ...], named: dict[str, Any]) -> None:
        rows, _, width, _ = named["ragged"].mask.shape
        traffic.tokens += arguments[0].numel()
        traffic.slots += rows * width

    hook = network.register_forward_pre_hook(count, with_kwargs=True)
    try:
        yield traffic
    finally:
        hook.remove()
