"""Attention by itself: ours against each kernel that torch and the machine have, on the shapes of a pass.

A drafted pass asks for rows of different lengths, so its scores carry a mask, which not every kernel takes; reading a
prompt asks for a causal mask alone. What a kernel without masks would gain is told beside what can be had.
"""

import importlib
import importlib.util
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from bioner_core.benchmark.machine import wait_for
from bioner_core.device_bench.bench_models import BenchModels
from bioner_core.device_bench.steps import Findings
from bioner_core.models.attention import grouped_attention
from bioner_core.models.precision import number_format

_BACKENDS = {
    "flash": SDPBackend.FLASH_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "math": SDPBackend.MATH,
}
_PACKAGE = "flash_attn"
_GPU_SHAPE = (128, 64, 384)
_CPU_SHAPE = (2, 8, 24)
_LARGE_HEADS = (32, 8, 128)
_TINY_HEADS = (4, 2, 12)
_REPEATS = 5

Attend = Callable[[], Tensor]


def attention_kernels(models: BenchModels, found: Findings) -> None:
    """Milliseconds of one layer's attention in a drafted pass (masked) and in reading a prompt (causal), by kernel."""
    rows, width, slots = _GPU_SHAPE if models.on_gpu else _CPU_SHAPE
    heads, key_heads, size = _LARGE_HEADS if models.on_gpu else _TINY_HEADS
    torch.manual_seed(0)
    options: dict[str, Any] = {"device": models.device, "dtype": number_format(models.fast_precision)}
    key, value = (torch.randn(rows, key_heads, slots, size, **options) for _ in range(2))
    query = torch.randn(rows, heads, slots, size, **options)
    lengths = torch.linspace(slots // 2, slots, rows, device=models.device).long()
    seen = torch.arange(slots, device=models.device) < lengths[:, None]
    mask = torch.zeros(rows, 1, width, slots, **options).masked_fill(~seen[:, None, None, :], float("-inf"))
    causal = torch.full((1, 1, slots, slots), float("-inf"), **options).triu(1)
    _compare("drafted pass", _masked(query[:, :, :width].contiguous(), key, value, mask), models, found)
    _compare("prompt", _causal(query, key, value, causal), models, found)
    if importlib.util.find_spec(_PACKAGE) is None:
        found.note("the package flash_attn is not installed")


def _masked(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> dict[str, Attend]:
    shared = query.shape[1] // key.shape[1]
    keys, values = key.repeat_interleave(shared, dim=1), value.repeat_interleave(shared, dim=1)
    found: dict[str, Attend] = {"ours": lambda: grouped_attention(nn.Module(), query, key, value, mask)[0]}
    for name, backend in _BACKENDS.items():
        found[name] = _on_backend(backend, lambda: _sdpa(query, keys, values, attn_mask=mask))
    return found


def _causal(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> dict[str, Attend]:
    shared = query.shape[1] // key.shape[1]
    keys, values = key.repeat_interleave(shared, dim=1), value.repeat_interleave(shared, dim=1)
    found: dict[str, Attend] = {"ours": lambda: grouped_attention(nn.Module(), query, key, value, mask)[0]}
    for name, backend in _BACKENDS.items():
        found[name] = _on_backend(backend, lambda: _sdpa(query, keys, values, is_causal=True))
    if importlib.util.find_spec(_PACKAGE) is not None:
        attend = importlib.import_module(_PACKAGE).flash_attn_func
        turned = [one.transpose(1, 2).contiguous() for one in (query, key, value)]
        found[_PACKAGE] = lambda: attend(*turned, causal=True)
    return found


def _sdpa(query: Tensor, key: Tensor, value: Tensor, **options: Any) -> Tensor:
    return nn.functional.scaled_dot_product_attention(query, key, value, **options).transpose(1, 2)


def _on_backend(backend: SDPBackend, attend: Attend) -> Attend:
    def attending() -> Tensor:
        with sdpa_kernel(backend):
            return attend()

    return attending


def _compare(where: str, kernels: dict[str, Attend], models: BenchModels, found: Findings) -> None:
    """A kernel that refuses these shapes, this mask or this device is noted as such."""
    wanted = kernels["ours"]()
    figures: dict[str, Any] = {}
    for name, attend in kernels.items():
        try:
            gap = float((attend() - wanted).abs().max())
            figures[name] = {"milliseconds": 1000 * _best_seconds(attend, models), "largest_gap": gap}
        except (RuntimeError, TypeError) as error:
            figures[name] = {"refuses": str(error).strip().splitlines()[0][:120]}
    said = ", ".join(
        f"{name} {one['milliseconds']:.3g} ms" if "milliseconds" in one else f"{name} refuses"
        for name, one in figures.items()
    )
    found.note(f"{where}: {said}", **{where.replace(" ", "_"): figures})


def _best_seconds(attend: Attend, models: BenchModels) -> float:
    seconds: list[float] = []
    for _ in range(_REPEATS):
        wait_for(models.device)
        started = time.perf_counter()
        attend()
        wait_for(models.device)
        seconds.append(time.perf_counter() - started)
    return min(seconds)
