"""Batch limits of a loaded model."""

from collections.abc import Sequence

import pytest
import torch

from bioner_core.errors import AnnotatorOutOfMemoryError, ConfigurationError
from bioner_core.inference import device_budget
from bioner_core.inference.batching import BatchLimits, limits_of, plan_batches
from bioner_core.inference.budget import Footprint, MemoryLimit
from bioner_core.inference.device_budget import batch_memory, costliest_batches, footprint_of, tried_limits
from bioner_core.tagging.scheme import TagScheme
from bioner_core.text.units import estimate_tokens
from tests.bioner_core.inference.test_annotator import annotator_of, requests_of

CPU = torch.device("cpu")


def test_the_footprint_is_that_of_the_configuration() -> None:
    """Sizes of another field, or of float32 where the model is bfloat16."""
    annotator = annotator_of()
    found = footprint_of(annotator._loaded, prompt=7, lines=2)
    assert found == Footprint(3, 4, 2, 12, 48, 96, 4, 7, 2, 16, found.tokens_per_estimate)
    assert 2.0 < found.tokens_per_estimate < 3.0  # three bytes a Chinese character, one an added one


def test_an_annotator_finds_its_limits_on_a_cpu_without_a_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that takes a minute, and a cap that changes nothing."""
    monkeypatch.setattr(device_budget, "available_memory", lambda: 10**12)
    annotator = annotator_of()
    annotator.decoder = Forbidden()
    annotator.find_limits(MemoryLimit())
    assert limits_of(annotator) == BatchLimits(4096, 64)
    annotator.find_limits(MemoryLimit(cap=250_000_000))
    assert 1 <= limits_of(annotator).max_rows < 64


@pytest.mark.parametrize(("scheme", "lines"), [(TagScheme.LINES, 3), (TagScheme.INLINE, 1)])
def test_a_sentence_has_as_many_rows_as_copies(monkeypatch: pytest.MonkeyPatch, scheme: TagScheme, lines: int) -> None:
    """The `lines` scheme, a copy for each of three types, reckoned as one row per sentence; a prompt left out."""
    seen: list[Footprint] = []
    monkeypatch.setattr(device_budget, "limits_for", lambda footprint, *_, **__: seen.append(footprint))
    annotator = annotator_of(scheme)
    annotator.find_limits(MemoryLimit())
    prompts = [len(one.tokens.prefix) for (one,) in annotator._prepared.values()]
    assert [(one.lines, one.prompt) for one in seen] == [(lines, max(prompts))]


def test_a_cap_that_holds_no_sentence_is_refused_when_the_model_is_loaded() -> None:
    """A cap that is silently passed by each batch."""
    with pytest.raises(ConfigurationError, match=r"memory cap: 0.001 GB, but one sentence of \d+ tokens may need"):
        annotator_of().find_limits(MemoryLimit(cap=1_000_000))


def test_half_of_the_free_memory_is_shared_by_the_actors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four actors on one machine that each take all of it."""
    monkeypatch.setattr(device_budget, "available_memory", lambda: 8_000)
    assert batch_memory(CPU, MemoryLimit()) == 4_000
    assert batch_memory(CPU, MemoryLimit(share=0.25)) == 1_000
    assert batch_memory(CPU, MemoryLimit(cap=500)) == 500
    assert batch_memory(CPU, MemoryLimit(cap=50_000)) == 4_000


@pytest.mark.parametrize(("share", "cap", "expected"), [(1.0, None, 42.5), (0.5, None, 32.5), (1.0, 9, 9)])
def test_a_gpu_is_asked_what_is_free(
    monkeypatch: pytest.MonkeyPatch, share: float, cap: int | None, expected: float
) -> None:
    """A budget of the whole card where others, or the model itself, are on it."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (40, 100))
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 10)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 20)
    assert batch_memory(torch.device("cuda"), MemoryLimit(cap, share)) == pytest.approx(expected)


def test_trials_halve_the_limits_until_both_shapes_fit() -> None:
    """A trial of short rows only, halving that stops at once or never."""
    tried: list[tuple[int, int]] = []

    def trial(texts: Sequence[str]) -> None:
        tried.append((len(texts), estimate_tokens(texts[0])))
        if len(texts) > 16 or (len(texts) > 2 and tried[-1][1] > 100):
            raise AnnotatorOutOfMemoryError("full")

    assert tried_limits(BatchLimits.of_budget(4096), trial, longest=512) == BatchLimits(1024, 16)
    assert [rows for rows, _ in tried] == [64, 32, 16, 2]


def test_trials_end_at_one_row() -> None:
    """An actor that never starts where nothing fits; rows that are too large are rejected one by one later."""

    def full(_: Sequence[str]) -> None:
        raise AnnotatorOutOfMemoryError("full")

    assert tried_limits(BatchLimits.of_budget(4096), full, longest=512).max_rows == 1


def test_the_costliest_batches_are_batches_of_the_plan() -> None:
    """A trial of something else than what will be sent."""
    limits = BatchLimits.of_budget(2048)
    for texts in costliest_batches(limits, longest=200):
        (batch,) = plan_batches(requests_of(texts), token_budget=2048, max_rows=32)
        assert len(batch.indices) == len(texts)
        assert batch.longest in (64, 200)


def test_the_costliest_batches_are_read_whole() -> None:
    """Equal texts, which the decoder reads once for all: 528 tokens were tried where 2,088 can come."""
    limits = BatchLimits.of_budget(16_384)
    for texts, length in zip(costliest_batches(limits, longest=200), (64, 200), strict=True):
        assert len(set(texts)) == len(texts) == 16_384 // length
        assert {estimate_tokens(text) for text in texts} == {length}


class Forbidden:
    """A decoder that must not be asked."""

    def decode(self, *_: object) -> list[object]:
        """Fail."""
        raise AssertionError("a trial batch was decoded")
