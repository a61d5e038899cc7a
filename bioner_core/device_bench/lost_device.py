"""A fatal error of the device: the process that has it ends by itself, as an actor does, and another takes its rows."""

import json
import multiprocessing
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bioner_core.device_bench.bench_models import BenchModels
from bioner_core.device_bench.settings import DeviceBenchSettings
from bioner_core.device_bench.steps import Findings
from bioner_core.inference.annotation import AnnotationRequest, RowError, RowResult
from bioner_core.inference.row_isolation import DeviceLostError, annotate_with_bisection
from bioner_core.models.precision import FLOAT32

_CHILD_SECONDS = 90
_LOST, _ANSWERED, _SURVIVED = 1, 0, 3
"""How a process ended: as an actor does whose device is lost, with its rows answered, or though its device is lost."""


def fatal_error(models: BenchModels, found: Findings) -> None:
    """Two processes, one after the other: what was asked of the one that is lost is answered by the next."""
    requests = [AnnotationRequest(one.text, models.label_set.name) for one in models.records(2)[:2]]
    wanted = [places(one) for one in annotate_with_bisection(models.annotator(FLOAT32), requests)]
    with tempfile.TemporaryDirectory() as folder:
        answers = Path(folder) / "answers.json"
        lost = _exit_code(_lose_the_device, models.on_gpu, requests)
        fresh = _exit_code(_answer, models.settings, requests, answers)
        got = json.loads(answers.read_text(encoding="utf-8")) if answers.is_file() else []
    same = sum(json.loads(json.dumps(one)) == other for one, other in zip(wanted, got, strict=False))
    kind = "a real" if models.on_gpu else "a simulated"
    found.note(
        f"{kind} CUDA error: the process that had it ended with {lost}; the next answered {same} of {len(requests)} "
        "rows as this one does",
        lost=lost,
        fresh=fresh,
        is_real=models.on_gpu,
        rows=len(requests),
        identical=same / len(requests),
    )
    if (lost, fresh) != (_LOST, _ANSWERED):
        raise RuntimeError(f"exit codes {lost} and {fresh}, not {_LOST} and {_ANSWERED}")


def places(result: RowResult) -> Any:
    """What must not change: spans and types. Scores move in their last digits with the shape of a batch."""
    return str(result) if isinstance(result, RowError) else [[one.start, one.end, one.type] for one in result]


def _exit_code(target: Any, *arguments: Any) -> int | None:
    """How a fresh process that does this ended; None when it hung and was ended."""
    process = multiprocessing.get_context("spawn").Process(target=target, args=arguments)
    process.start()
    process.join(_CHILD_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
        return None
    return process.exitcode


@dataclass(frozen=True, slots=True)
class _Breaking:
    """An annotator that reads beyond a table on the GPU; on a CPU it says what CUDA would say then."""

    on_gpu: bool
    fingerprint: str = "breaking"

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """End the GPU context."""
        if not self.on_gpu:
            raise RuntimeError("CUDA error: device-side assert triggered")
        table, place = torch.zeros(4, device="cuda"), torch.tensor([10**6], device="cuda")
        return [() for _ in range(int(table[place].sum()) + len(requests))]


def _lose_the_device(on_gpu: bool, requests: Sequence[AnnotationRequest]) -> None:
    """As an actor: a lost device ends the process at once."""
    try:
        annotate_with_bisection(_Breaking(on_gpu), requests)
    except DeviceLostError:
        os._exit(_LOST)
    os._exit(_SURVIVED)


def _answer(settings: DeviceBenchSettings, requests: Sequence[AnnotationRequest], answers: Path) -> None:
    """What another actor does with the rows."""
    found = annotate_with_bisection(BenchModels(settings).annotator(FLOAT32), requests)
    answers.write_text(json.dumps([places(one) for one in found]), encoding="utf-8")
