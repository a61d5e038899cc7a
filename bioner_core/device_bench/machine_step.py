"""What the bench runs on."""

import platform

import torch
import transformers

from bioner_core.device_bench.bench_models import BenchModels
from bioner_core.device_bench.steps import Findings, Step
from bioner_core.models.processor import processor_name


def machine_step(models: BenchModels) -> Step:
    """The device, its memory, and the software."""
    return Step("machine", 0, lambda _, found: _describe(models, found))


def _describe(models: BenchModels, found: Findings) -> None:
    device = models.device
    name = torch.cuda.get_device_name(device) if models.on_gpu else processor_name()
    memory = torch.cuda.get_device_properties(device).total_memory if models.on_gpu else None
    found.note(
        f"{name}, torch {torch.__version__}, transformers {transformers.__version__}, "
        f"Python {platform.python_version()}",
        device=device.type,
        processor=name,
        memory_gb=None if memory is None else round(memory / 1e9, 1),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        transformers=transformers.__version__,
        python=platform.python_version(),
        cuda=torch.version.cuda,
        precision=models.fast_precision,
    )
