"""How many GPUs there are for actors, found without torch."""

import os
from pathlib import Path

_DRIVER_FOLDER = Path("/proc/driver/nvidia/gpus")


def visible_gpus() -> int:
    """The NVIDIA GPUs that this process may use: those of `CUDA_VISIBLE_DEVICES` where it is set, else all."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    present = len(list(_DRIVER_FOLDER.glob("*")))
    if allowed is None:
        return present
    named = [name for name in allowed.split(",") if name.strip() not in ("", "-1", "NoDevFiles")]
    return min(present, len(named))
