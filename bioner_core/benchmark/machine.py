"""What a bench ran on, for whoever reads its figures later."""

import platform
from pathlib import Path
from typing import Any

import torch

from bioner_core.benchmark.arithmetic import matrix_product_rate

_CPU_INFO = Path("/proc/cpuinfo")


def describe_machine(device: torch.device, dtype: torch.dtype) -> dict[str, Any]:
    """The device, its measured rate of matrix products in multiplications and additions a second, and the software."""
    return {
        "device": device.type,
        "processor": torch.cuda.get_device_name(device) if device.type == "cuda" else processor_name(),
        "threads": torch.get_num_threads(),
        "matrix_products_per_second": matrix_product_rate(device, dtype),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def processor_name() -> str:
    """The processor's name where the system tells it."""
    lines = _CPU_INFO.read_text(encoding="utf-8").splitlines() if _CPU_INFO.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
