"""Telling a full device from a defect: torch has a class of its own for it on a GPU only."""

import torch

_TEXTS = (
    "can't allocate memory",  # torch's allocator on a CPU
    "bad_alloc",  # C++ code below it
    "could not create a memory object",  # oneDNN
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDA error: out of memory",  # a library below torch's allocator
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error says that the device, a GPU or the machine itself, has no memory left."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _TEXTS)
