"""What a bench ran on, and how much arithmetic a pass is there, for whoever reads its figures later."""

import platform
import time
from collections.abc import Iterable
from typing import Any

import torch

from bioner_core.models.processor import processor_name
from bioner_core.models.tagging_model import TaggingModel

_SECONDS = 0.5
_SIZES = {"cuda": 8192, "cpu": 1536}


def row_flops(network: TaggingModel, *, read_before: int, tokens: int) -> float:
    """Multiplications and additions of one row's pass over `tokens` tokens after `read_before` cached ones.

    Two for each weight of the layers' matrices and each token, and those of attention over what the row has read; the
    embedding is a look-up, and the few rows of the head do not count.
    """
    config: Any = network.backbone.config
    heads = config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // heads
    seen = tokens * read_before + tokens * (tokens + 1) / 2
    attention: float = 4.0 * config.num_hidden_layers * heads * size * seen
    return 2.0 * matrix_weights(network) * tokens + attention


def matrix_weights(network: TaggingModel) -> int:
    """Weights of the matrices that every token goes through. A mixture of experts counts whole."""
    embedding = network.backbone.get_input_embeddings()  # type: ignore[operator]
    matrices = (one for one in network.backbone.parameters() if one.ndim >= 2)
    return sum(one.numel() for one in matrices) - int(embedding.weight.numel())


def matrix_product_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Multiplications and additions per second of a product of large square matrices: the best of half a second."""
    return max(matrix_product_rates(device, dtype))


def matrix_product_rates(device: torch.device, dtype: torch.dtype) -> list[float]:
    """The same for each product of half a second, the first to warm up left out."""
    size = _SIZES.get(device.type, _SIZES["cpu"])
    one, other = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    return [2.0 * size**3 / seconds for seconds in _product_seconds(one, other, device)]


def _product_seconds(one: torch.Tensor, other: torch.Tensor, device: torch.device) -> Iterable[float]:
    torch.matmul(one, other)
    ends = time.perf_counter() + _SECONDS
    while True:
        wait_for(device)
        started = time.perf_counter()
        torch.matmul(one, other)
        wait_for(device)
        finished = time.perf_counter()
        yield finished - started
        if finished > ends:
            return


def wait_for(device: torch.device) -> None:
    """Wait until the device has done all that it was told: a GPU works on after the call that set it to work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def describe_machine(device: torch.device, dtype: torch.dtype) -> dict[str, Any]:
    """The device, its measured rate of matrix products (multiplications and additions per second), and the software."""
    return {
        "device": device.type,
        "processor": torch.cuda.get_device_name(device) if device.type == "cuda" else processor_name(),
        "threads": torch.get_num_threads(),
        "matrix_products_per_second": matrix_product_rate(device, dtype),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
