"""Where the time of a piece of work goes: how long the device is at work, and which functions Python spends."""

import cProfile
import pstats
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from bioner_core.benchmark.machine import wait_for

_FUNCTIONS = 14
_KERNELS = 8


def where_time_goes(work: Callable[[], object], device: torch.device) -> dict[str, Any]:
    """Run it four times: to warm up, by the clock, under the profile of the device, and under that of Python.

    `busy` is the time of all kernels through the time by the clock; None on a CPU. Profiles slow Python down, so the
    seconds of functions are too high; their order is right.
    """
    work()
    seconds = _seconds(work, device)
    found: dict[str, Any] = {"seconds": seconds, "busy": None}
    if device.type == "cuda":
        found |= _kernels(work, device)
        found["busy"] = found["kernel_seconds"] / seconds
    found["functions"] = _functions(work, device)
    busy = "" if found["busy"] is None else f", the GPU at work {found['busy']:.0%} of it"
    first = "; ".join(f"{one['function']} {one['own_seconds']:.3f} s" for one in found["functions"][:4])
    return found | {"says": f"{seconds:.3f} s{busy}; Python: {first}"}


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    wait_for(device)
    started = time.perf_counter()
    work()
    wait_for(device)
    return time.perf_counter() - started


def _kernels(work: Callable[[], object], device: torch.device) -> dict[str, Any]:
    """The kernels by their time on the device."""
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        work()
        wait_for(device)
    events = sorted(seen.key_averages(), key=lambda one: one.self_device_time_total, reverse=True)
    return {
        "kernel_seconds": sum(one.self_device_time_total for one in events) / 1e6,
        "kernels": [
            {"kernel": one.key[:80], "calls": one.count, "seconds": one.self_device_time_total / 1e6}
            for one in events[:_KERNELS]
        ],
    }


def _functions(work: Callable[[], object], device: torch.device) -> list[dict[str, Any]]:
    """The functions by the time that Python spends in themselves; waiting for the device counts where it waits."""
    profiler = cProfile.Profile()
    profiler.enable()
    work()
    wait_for(device)
    profiler.disable()
    entries = pstats.Stats(profiler).stats.items()  # type: ignore[attr-defined]
    spent = sorted(entries, key=lambda item: item[1][2], reverse=True)[:_FUNCTIONS]
    return [
        {
            "function": f"{file.rpartition('/')[2]}:{line} {name}" if line else name,
            "calls": calls,
            "own_seconds": round(own, 4),
            "seconds": round(total, 4),
        }
        for (file, line, name), (_, calls, own, total, _) in spent
    ]
