"""Run by tests in a process of its own: annotation under a real limit on memory. Prints one JSON object.

python -m tests.bioner_core.inference.capped_annotation ladder
python -m tests.bioner_core.inference.capped_annotation peak tiny|default|int8
"""

import json
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from bioner_core.decoding.drafted import DraftedDecoder
from bioner_core.inference.annotation import AnnotationRequest, RowError, RowResult
from bioner_core.inference.annotator import ModelAnnotator, load_annotator
from bioner_core.inference.batching import BatchLimits, plan_batches
from bioner_core.inference.budget import MemoryLimit
from bioner_core.inference.device_budget import costliest_batches
from bioner_core.inference.row_isolation import annotate_with_bisection
from bioner_core.labels.label_set import load_label_set
from bioner_core.models.precision import AUTO, INT8
from tests.bioner_core.inference.test_annotator import annotator_of, requests_of

ROOM = 150_000_000
CAPS = {"tiny": 250_000_000, "default": 500_000_000, "int8": 800_000_000}
"""By model: `int8` is the default one in this precision."""


def tiny_annotator() -> ModelAnnotator:
    """A small random model behind the drafted decoder."""
    annotator = annotator_of()
    annotator.decoder = DraftedDecoder(annotator._loaded.network)
    return annotator


def ladder() -> dict[str, Any]:
    """A batch with one row that needs about 1 GB of attention, where there is room for 150 MB."""
    annotator = tiny_annotator()
    annotator._longest["full"] = 10**6  # else it would be cut
    requests = requests_of(["IL-2 gene and more of it"] * 20)
    expected = annotator.annotate(requests)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ROOM, resource.RLIM_INFINITY))
    results = annotate_with_bisection(annotator, [*requests[:7], *requests_of(["病 and " * 700]), *requests[7:]])
    long = results.pop(7)
    return {
        "others_answered": [_places(one) for one in results] == [_places(one) for one in expected],
        "reason": long.reason if isinstance(long, RowError) else "",
        "message": long.message if isinstance(long, RowError) else "",
    }


def _places(found: RowResult) -> list[tuple[int, int, str]]:
    return [] if isinstance(found, RowError) else [(one.start, one.end, one.type) for one in found]


def peak(model: str) -> dict[str, Any]:
    """The most memory above that of the loaded model, for texts of 1 to 4,000 characters, with and without limits.

    No two texts are equal: the decoder reads equal ones once for all.
    """
    torch.set_num_threads(1)
    name = "full" if model == "tiny" else "genia"
    annotator = tiny_annotator() if model == "tiny" else _default_annotator(name, model)
    annotator.annotate([AnnotationRequest("IL-2 gene", name)])
    annotator.find_limits(MemoryLimit(cap=CAPS[model]))
    short = [f"{text} {number}" for number in range(30) for text in ("a b", "x", "IL-2 gene expression in T cells")]
    texts = ["IL-2 binds. " * 334, "病肺和" * 100, *short, *costliest_batches(annotator.limits, longest=200)[0]]
    found = {"cap": CAPS[model], "limited": _growth(annotator, _requests(texts, name), annotator.limits)}
    if model == "tiny":
        many = [f"{'IL-2 gene expression in T cells ' * 8}{number}" for number in range(400)]
        found["unlimited"] = _growth(annotator, _requests(many, name), BatchLimits(10**9, 10**9))
    return found


def _default_annotator(label_set: str, model: str) -> ModelAnnotator:
    return load_annotator([load_label_set(label_set)], precision=INT8 if model == "int8" else AUTO)


def _requests(texts: Sequence[str], label_set: str) -> list[AnnotationRequest]:
    return [AnnotationRequest(text[:4000], label_set) for text in texts]


def _growth(annotator: ModelAnnotator, requests: Sequence[AnnotationRequest], limits: BatchLimits) -> int:
    Path("/proc/self/clear_refs").write_text("5")  # the highest resident size so far becomes the present one
    before = _resident("VmRSS")
    for batch in plan_batches(requests, token_budget=limits.token_budget, max_rows=limits.max_rows):
        annotator.annotate(batch.requests)
    return _resident("VmHWM") - before


def _resident(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    print(json.dumps(ladder() if sys.argv[1] == "ladder" else peak(sys.argv[2])))
