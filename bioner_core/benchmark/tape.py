"""Decisions of one network, replayed in another: how a larger model's cost is measured without training one.

Random weights tag at random, and the number of passes depends on the tags. So the logits that one network gave a
decoder are recorded, call by call, and the same decoder over another network is given those instead of that network's
own, which are computed and thrown away. It then feeds the same tokens in the same passes; only the network's cost
differs.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from bioner_core.models.tagging_model import MoveWeights, TaggingModel

MoveLogitTape = list[Tensor]
"""What `move_logits` gave, call by call."""


@contextmanager
def shadowed(module: nn.Module, method: str, *, replacement: Callable[..., Any]) -> Iterator[None]:
    """Within the block, this one module has another method of that name."""
    previous = module.__dict__.get(method)
    setattr(module, method, replacement)
    try:
        yield
    finally:
        delattr(module, method)
        if previous is not None:
            setattr(module, method, previous)


@contextmanager
def recorded(network: TaggingModel) -> Iterator[MoveLogitTape]:
    """Within the block, put what the network's `move_logits` gives on a tape."""
    tape: MoveLogitTape = []
    own = network.move_logits

    def record(hidden: Tensor, weights: MoveWeights) -> Tensor:
        logits = own(hidden, weights)
        tape.append(logits.clone())
        return logits

    with shadowed(network, "move_logits", replacement=record):
        yield tape


@contextmanager
def replayed(network: TaggingModel, tape: MoveLogitTape) -> Iterator[None]:
    """Within the block, the network computes its logits and gives those on the tape instead, from its beginning.

    Raises:
        RuntimeError: the decoder asks for other logits than are on the tape: it is not the one that was recorded.
    """
    left = iter(tape)
    own = network.move_logits

    def replay(hidden: Tensor, weights: MoveWeights) -> Tensor:
        computed = own(hidden, weights)
        logits = next(left, None)
        if logits is None or logits.shape != computed.shape:
            raise RuntimeError("the decoder departs from the recorded one: record a tape for this batch and decoder")
        return logits

    with shadowed(network, "move_logits", replacement=replay):
        yield
