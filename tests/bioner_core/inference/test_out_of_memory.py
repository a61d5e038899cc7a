"""Running out of memory: told from defects, survived row by row, and mostly avoided."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from bioner_core.errors import ModelError
from bioner_core.inference.device_budget import is_out_of_memory
from bioner_core.models.base_model import base_folder
from bioner_core.models.int8 import int8_is_possible

REPOSITORY = Path(__file__).resolve().parents[3]


def run_capped(*words: str) -> dict[str, Any]:
    """What `capped_annotation` printed."""
    command = [sys.executable, "-m", "tests.bioner_core.inference.capped_annotation", *words]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
        (RuntimeError("size mismatch"), False),
        (ValueError("can't allocate memory"), False),
    ],
)
def test_a_full_device_is_told_from_a_defect(error: Exception, expected: bool) -> None:
    """A full device that rejects rows at once, or ends the process; a defect that is halved away as if it were full."""
    assert is_out_of_memory(error) is expected


@pytest.mark.slow
def test_under_a_real_limit_only_the_row_without_room_is_rejected() -> None:
    """Words of torch that nobody knows, memory that is not freed before the next try, batch-mates that are lost."""
    found = run_capped("ladder")
    assert found["others_answered"]
    assert found["reason"] == "out_of_memory"
    assert "AnnotatorOutOfMemoryError" in found["message"]


@pytest.mark.slow
@pytest.mark.parametrize("model", ["tiny", "default", "int8"])
def test_memory_stays_under_the_cap_for_texts_of_any_length(model: str) -> None:
    """A budget in tokens that forgets prompts or attention, long texts that are decoded all at once, and states that
    the products in eight bits keep of every layer."""
    if model == "int8" and not int8_is_possible():
        pytest.skip("this torch has no products in eight bits for this processor")
    if model != "tiny":
        try:
            base_folder("smollm2-135m-instruct")
        except ModelError:
            pytest.skip("needs the base model: bioner models pull")
    found = run_capped("peak", model)
    assert found["limited"] <= found["cap"]
    assert found.get("unlimited", found["cap"] + 1) > found["cap"], "the texts fit without limits: the test is blind"
