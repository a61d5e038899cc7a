"""Whether a device computes what it shall: the answers of the reference, of the CPU, under pressure of memory."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from bioner_core.benchmark.machine import wait_for
from bioner_core.benchmark.sentences import BenchSentence, batches_of
from bioner_core.decoding.drafted import DraftedDecoder
from bioner_core.decoding.reference import ReferenceDecoder
from bioner_core.decoding.rows import DecodedRow
from bioner_core.device_bench.bench_models import BenchModels, peak_gigabytes, reset_peak
from bioner_core.device_bench.lost_device import fatal_error, places
from bioner_core.device_bench.steps import Clock, Findings, Step, StepSkippedError
from bioner_core.errors import AnnotatorOutOfMemoryError
from bioner_core.inference.annotation import AnnotationRequest, RowError, RowResult
from bioner_core.inference.annotator import ModelAnnotator
from bioner_core.inference.budget import MemoryLimit
from bioner_core.inference.device_budget import costliest_batches
from bioner_core.inference.row_isolation import annotate_with_bisection, free_memory
from bioner_core.models.precision import BFLOAT16, FLOAT32
from bioner_core.tagging.moves import COPY, Move

_BATCH = 32


def right_steps(models: BenchModels) -> list[Step]:
    """The steps of the part `right`, the most telling first."""
    return [
        Step("drafted = reference, float32", 5, lambda clock, found: _against_reference(models, clock, found)),
        Step("device = CPU, float32", 5, lambda _, found: _against_cpu(models, found)),
        Step("bfloat16 flips", 5, lambda _, found: _flips(models, found)),
        Step("out of memory", 5, lambda _, found: _out_of_memory(models, found)),
        Step("token budget", 5, lambda _, found: _token_budget(models, found)),
        Step("fatal error", 30, lambda _, found: fatal_error(models, found)),
    ]


def _against_reference(models: BenchModels, clock: Clock, found: Findings) -> None:
    """Move for move, and margin for margin, batch by batch as long as there is time."""
    subject = models.subject(FLOAT32)
    drafted, reference = DraftedDecoder(subject.network), ReferenceDecoder(subject.network)
    done = same = 0
    largest = 0.0
    for batch in batches_of(models.sentences(subject, models.sizes.sentences), _BATCH):
        one, other = drafted.decode(batch.rows, subject.tokens), reference.decode(batch.rows, subject.tokens)
        same += sum(mine.moves == theirs.moves for mine, theirs in zip(one, other, strict=True))
        done += len(batch.rows)
        largest = max([largest, *(_margin_gap(mine, theirs) for mine, theirs in zip(one, other, strict=True))])
        if clock.left < 0:
            break
    found.note(
        f"{same} of {done} rows the same ({subject.loaded.card.name}), margins within {largest:.2g}",
        model=subject.loaded.card.name,
        why_stand_in=models.why_stand_in,
        rows=done,
        identical=same / done,
        largest_margin_gap=largest,
    )


def _margin_gap(one: DecodedRow, other: DecodedRow) -> float:
    """The largest difference of margins up to the first other move; 0 where there is none that is finite."""
    gaps = (
        abs(float(mine) - float(theirs))
        for mine, theirs in zip(one.margins.tolist(), other.margins.tolist(), strict=False)
        if math.isfinite(mine) and math.isfinite(theirs)
    )
    return max(gaps, default=0.0) if one.moves == other.moves else 0.0


def _against_cpu(models: BenchModels, found: Findings) -> None:
    """The same weights on the CPU: moves, and the logits behind them as margins."""
    if not models.on_gpu:
        raise StepSkippedError("this device is the CPU")
    subject = models.subject(FLOAT32)
    sentences = models.sentences(subject, models.sizes.cpu_sentences)
    here = _decoded(subject.network, sentences, subject.tokens)
    on_cpu = copy.deepcopy(subject.network).to("cpu")
    there = _decoded(on_cpu, sentences, subject.tokens)
    same = sum(one.moves == other.moves for one, other in zip(here, there, strict=True))
    gap = max(_margin_gap(one, other) for one, other in zip(here, there, strict=True))
    found.note(
        f"{same} of {len(here)} rows the same, margins within {gap:.2g}",
        rows=len(here),
        identical=same / len(here),
        largest_margin_gap=gap,
    )


def _decoded(network: Any, sentences: Sequence[BenchSentence], tokens: Any) -> list[DecodedRow]:
    decoder = DraftedDecoder(network)
    return [row for batch in batches_of(sentences, _BATCH) for row in decoder.decode(batch.rows, tokens)]


def _flips(models: BenchModels, found: Findings) -> None:
    """How many rows, and tags of them, come out otherwise in bfloat16."""
    exact, rounded = models.subject(FLOAT32), models.subject(BFLOAT16)
    sentences = models.sentences(exact, models.sizes.sentences)
    one = [row.moves for row in _decoded(exact.network, sentences, exact.tokens)]
    other = [row.moves for row in _decoded(rounded.network, sentences, rounded.tokens)]
    flipped = sum(mine != theirs for mine, theirs in zip(one, other, strict=True))
    tags, lost = sum(map(_tag_count, one)), sum(_tags_apart(*pair) for pair in zip(one, other, strict=True))
    found.note(
        f"{flipped} of {len(one)} rows have another copy; {lost} tags apart beside {tags}",
        rows=len(one),
        flipped_rows=flipped,
        tags=tags,
        tags_apart=lost,
    )


def _tag_count(moves: Sequence[Move]) -> int:
    return sum(move != COPY for move in moves)


def _tags_apart(one: Sequence[Move], other: Sequence[Move]) -> int:
    """Tags, with their places, that only one of two copies of a sentence has."""
    return len(_placed_tags(one) ^ _placed_tags(other))


def _placed_tags(moves: Sequence[Move]) -> set[tuple[int, Move]]:
    position, placed = 0, set[tuple[int, Move]]()
    for move in moves:
        if move == COPY:
            position += 1
        else:
            placed.add((position, move))
    return placed


@dataclass(slots=True)
class _Pressed:
    """An annotator that counts its batches, and those that did not fit; with `most`, larger ones never fit."""

    annotator: ModelAnnotator
    most: int | None = None
    batches: int = 0
    too_large: list[int] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        """The annotator's."""
        return self.annotator.fingerprint

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Annotate a batch, or say that it does not fit."""
        self.batches += 1
        try:
            if self.most is not None and len(requests) > self.most:
                raise AnnotatorOutOfMemoryError(f"{len(requests)} rows, {self.most} are allowed")
            return self.annotator.annotate(requests)
        except AnnotatorOutOfMemoryError:
            self.too_large.append(len(requests))
            raise


def _requests(models: BenchModels, count: int) -> list[AnnotationRequest]:
    records = models.records(count)
    return [AnnotationRequest(records[index % len(records)].text, models.label_set.name) for index in range(count)]


def _out_of_memory(models: BenchModels, found: Findings) -> None:
    """A device that is too small for the batch: the same answers, in smaller batches."""
    annotator, requests = models.annotator(FLOAT32), _requests(models, models.sizes.sentences)
    free_memory()
    reset_peak(models.device)
    before = torch.cuda.memory_allocated(models.device) if models.on_gpu else 0
    wanted = annotate_with_bisection(annotator, requests)
    if models.on_gpu:
        pressed = _Pressed(annotator)
        got = _annotated_within(pressed, requests, models.device, before=before)
    else:
        pressed = _Pressed(annotator, most=max(1, len(requests) // 3))
        got = annotate_with_bisection(pressed, requests)
    same = sum(places(one) == places(other) for one, other in zip(wanted, got, strict=True))
    rejected = sum(isinstance(one, RowError) for one in got)
    kind = "real CUDA errors" if models.on_gpu else "simulated errors"
    found.note(
        f"{len(pressed.too_large)} {kind} ({pressed.batches} batches for {len(requests)} rows); "
        f"{same} of {len(requests)} answers the same, {rejected} rejected",
        errors=len(pressed.too_large),
        batches_that_did_not_fit=pressed.too_large,
        is_real=models.on_gpu,
        rows=len(requests),
        identical=same / len(requests),
        rejected=rejected,
    )


def _annotated_within(
    pressed: _Pressed, requests: Sequence[AnnotationRequest], device: torch.device, *, before: int
) -> list[RowResult]:
    """Answers when the allocator may have a quarter of what the whole batch took beside the model."""
    _, total = torch.cuda.mem_get_info(device)
    peak = torch.cuda.max_memory_allocated(device)
    free_memory()
    cap = torch.cuda.memory_reserved(device) + (peak - before) / 4
    torch.cuda.set_per_process_memory_fraction(min(1.0, cap / total), device)
    try:
        return annotate_with_bisection(pressed, requests)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, device)


def _token_budget(models: BenchModels, found: Findings) -> None:
    """What `annotate` would put into a batch here, and what the dearest such batch takes."""
    annotator = models.annotator(models.fast_precision)
    annotator.find_limits(MemoryLimit())
    limits = annotator.limits
    figures: dict[str, Any] = {"token_budget": limits.token_budget, "max_rows": limits.max_rows}
    if models.on_gpu:
        reset_peak(models.device)
        many, _ = costliest_batches(limits, longest=max(1, limits.token_budget // limits.max_rows))
        annotator.annotate([AnnotationRequest(text, models.label_set.name) for text in many])
        wait_for(models.device)
        figures["peak_gb"] = peak_gigabytes(models.device)
    said = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in figures.items())
    found.note(f"{said} ({models.fast_precision})", **figures)
