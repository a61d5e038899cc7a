"""Whether passes of a fixed shape are worth compiling: plain, as a captured CUDA graph, and through torch.compile.

Python starts the kernels of a small model one by one; a graph starts all of them at once. It holds for one shape, while
rows differ in length, so it pays only if it gains more than the padding to that shape costs.
"""

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from bioner_core.benchmark.machine import wait_for
from bioner_core.device_bench.bench_models import BenchModels, peak_gigabytes, reset_peak
from bioner_core.device_bench.steps import Findings, StepSkippedError, traceback_lines
from bioner_core.inference.row_isolation import is_fatal_device_error

_GPU_SHAPES = ((8, 64), (64, 128))
_CPU_SHAPES = ((2, 16),)
_REPEATS = 5
_WARM_UPS = 3

Pass = Callable[[], Tensor]


def fixed_shapes(models: BenchModels, found: Findings) -> None:
    """Milliseconds of a teacher-forced pass of the model at some shapes, each way; ways that fail are noted."""
    network = models.subject(models.fast_precision).network
    for rows, length in _GPU_SHAPES if models.on_gpu else _CPU_SHAPES:
        plain = _plain_pass(network, rows, length, models.device)
        _compare(f"{rows} rows of {length}", plain, models, found)


def _plain_pass(network: Any, rows: int, length: int, device: torch.device) -> Pass:
    """A pass whose inputs lie where they are, as a graph wants it; its mask is made beforehand, so nothing waits."""
    torch.manual_seed(0)
    ids = torch.randint(network.base_size, (rows, length), device=device)
    positions = torch.arange(length, device=device).expand(rows, length).contiguous()
    dtype = network.added_rows.dtype
    mask = torch.full((rows, 1, length, length), float("-inf"), device=device, dtype=dtype).triu(1)

    def run() -> Tensor:
        with torch.no_grad():
            hidden: Tensor = network(ids, attention_mask=mask, position_ids=positions, cache=None)
        return hidden

    return run


def _compare(where: str, plain: Pass, models: BenchModels, found: Findings) -> None:
    wanted = plain().float()
    ways: dict[str, Callable[[], Pass]] = {
        "plain": lambda: plain,
        "CUDA graph": lambda: _captured(plain, models),
        "torch.compile": lambda: _compiled(plain, models),
    }
    figures: dict[str, Any] = {}
    for name, make in ways.items():
        try:
            figures[name] = _measured(make, wanted, models)
        except StepSkippedError as reason:
            figures[name] = {"skipped": str(reason)}
        except (RuntimeError, TypeError) as error:  # a way that this model or machine does not allow is an answer too
            if is_fatal_device_error(error):
                raise
            says = f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0][:160]}"
            figures[name] = {"fails": says, "error": traceback_lines(error)}
    found.note(f"{where}: {', '.join(_said(name, one) for name, one in figures.items())}", **{where: figures})


def _said(name: str, figures: dict[str, Any]) -> str:
    if "milliseconds" in figures:
        return f"{name} {figures['milliseconds']:.3g} ms"
    return f"{name}: {next(iter(figures.values()))}"


def _measured(make: Callable[[], Pass], wanted: Tensor, models: BenchModels) -> dict[str, Any]:
    reset_peak(models.device)
    started = time.perf_counter()
    run = make()
    gap = float((run().float() - wanted).abs().max())
    wait_for(models.device)
    ready = time.perf_counter() - started
    seconds: list[float] = []
    for _ in range(_REPEATS):
        begun = time.perf_counter()
        run()
        wait_for(models.device)
        seconds.append(time.perf_counter() - begun)
    return {
        "milliseconds": 1000 * min(seconds),
        "seconds_to_make": ready,
        "largest_gap": gap,
        "peak_gb": peak_gigabytes(models.device),
    }


def _captured(plain: Pass, models: BenchModels) -> Pass:
    """The pass as a CUDA graph.

    Raises:
        StepSkippedError: there is no CUDA device.
    """
    if not models.on_gpu:
        raise StepSkippedError("needs CUDA")
    side: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(_WARM_UPS):
            plain()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        output = plain()

    def replay() -> Tensor:
        graph.replay()
        return output

    return replay


def _compiled(plain: Pass, models: BenchModels) -> Pass:
    """The pass through torch.compile; on a CPU only traced, since compiling there takes minutes and tells nothing."""
    if models.on_gpu:
        return torch.compile(plain, mode="reduce-overhead", dynamic=False)
    return torch.compile(plain, backend="eager", dynamic=False)
