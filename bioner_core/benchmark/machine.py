"""What a bench ran on, for whoever reads its figures later."""

import platform
from typing import Any

import torch

from bioner_core.benchmark.arithmetic import matrix_product_rate
from bioner_core.models.processor import processor_name


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
