"""How fast the model is on a device: the decode bench by batch size and window, and batches as the annotator's."""

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bioner_core.benchmark.batch_bench import run_batches
from bioner_core.benchmark.batch_summary import summarise
from bioner_core.benchmark.decode_settings import DecodeBenchSettings
from bioner_core.benchmark.machine import matrix_product_rates, wait_for
from bioner_core.benchmark.sentences import BenchSentence, batches_of
from bioner_core.benchmark.subject import BenchSubject
from bioner_core.decoding.drafted import DraftedDecoder
from bioner_core.device_bench.attention_kernels import attention_kernels
from bioner_core.device_bench.bench_models import BenchModels, peak_gigabytes, reset_peak
from bioner_core.device_bench.fixed_shapes import fixed_shapes
from bioner_core.device_bench.large import large_steps
from bioner_core.device_bench.steps import Clock, Findings, Step
from bioner_core.device_bench.where_time_goes import where_time_goes
from bioner_core.inference.annotation import AnnotationRequest
from bioner_core.inference.annotator import ModelAnnotator
from bioner_core.inference.batching import Batch, fill_of, plan_batches
from bioner_core.inference.budget import MemoryLimit
from bioner_core.models.precision import number_format

_SLOW_TO = 128
"""Above this batch size `generate` and the reference decoder are left out: they take minutes and say nothing new."""


def fast_steps(models: BenchModels) -> list[Step]:
    """The steps of the part `fast`: what everybody asks for first, then the large model, then the details."""
    sizes = models.sizes
    return [
        Step("matrix rate", 2, lambda _, found: _matrix_rate(models, found)),
        Step("annotator's batches", 5, lambda clock, found: _annotator_batches(models, clock, found)),
        *large_steps(models),
        *(
            Step(
                f"decode, batch {size}",
                8,
                lambda _, found, size=size, count=count: _decode(models, size, count, found),  # type: ignore[misc]
            )
            for size, count in sizes.decode
        ),
        Step("windows", 8, lambda clock, found: _windows(models, clock, found)),
        Step("attention kernels", 4, lambda _, found: attention_kernels(models, found)),
        Step("fixed shapes, compiled", 10, lambda _, found: fixed_shapes(models, found)),
        Step("where time goes", 8, lambda _, found: _profile(models, found)),
    ]


def _matrix_rate(models: BenchModels, found: Findings) -> None:
    """The device's rate of large matrix products: what all shares of it are shares of."""
    rates = matrix_product_rates(models.device, number_format(models.fast_precision))
    found.note(
        f"{median(rates) / 1e12:.3g} TFLOP/s in {models.fast_precision}, median of {len(rates)}",
        flops=median(rates),
        best_flops=max(rates),
        products=len(rates),
        precision=models.fast_precision,
    )


def _annotator_batches(models: BenchModels, clock: Clock, found: Findings) -> None:
    """Sentences per second of texts in, candidates out, selector and all: the r of docs/operations.md."""
    annotator = models.annotator(models.fast_precision)
    annotator.find_limits(MemoryLimit())
    records = models.records(models.sizes.annotated)
    requests = [
        AnnotationRequest(records[index % len(records)].text, models.label_set.name)
        for index in range(models.sizes.annotated)
    ]
    limits = annotator.limits
    batches = plan_batches(requests, token_budget=limits.token_budget, max_rows=limits.max_rows)
    annotator.annotate(batches[0].requests)
    wait_for(models.device)
    reset_peak(models.device)
    done, seconds, mentions = _timed(annotator, batches, models, clock)
    rows = sum(len(one.indices) for one in done)
    found.note(
        f"{rows / seconds:.0f} sentences/s in batches of {rows / len(done):.0f} ({models.fast_precision})",
        sentences_per_second=rows / seconds,
        sentences=rows,
        seconds=seconds,
        batches=len(done),
        mentions=mentions,
        padding=fill_of(done).padding,
        token_budget=limits.token_budget,
        max_rows=limits.max_rows,
        peak_gb=peak_gigabytes(models.device),
        why_stand_in=models.why_stand_in,
    )


def _timed(
    annotator: ModelAnnotator, batches: Sequence[Batch], models: BenchModels, clock: Clock
) -> tuple[list[Batch], float, int]:
    """The batches that were done while a fifth of the part's time lasted, their seconds and their candidates."""
    done, mentions = list[Batch](), 0
    most = clock.left / 5
    started = time.perf_counter()
    for batch in batches:
        mentions += sum(len(one) for one in annotator.annotate(batch.requests) if isinstance(one, tuple))
        done.append(batch)
        if time.perf_counter() - started > most:
            break
    wait_for(models.device)
    return done, time.perf_counter() - started, mentions


def _decode(models: BenchModels, size: int, count: int, found: Findings) -> None:
    """The decode bench at one batch size."""
    rate = median(matrix_product_rates(models.device, number_format(models.fast_precision)))
    subject = models.subject(models.fast_precision, rate=rate)
    skip = ("encoders", "floor_with_prompt") + (("reference", "generate") if size > _SLOW_TO else ())
    settings = DecodeBenchSettings(
        data=Path("samples"), label_set=models.label_set.name, skip=skip, generate_sentences=min(size, 32)
    )
    reset_peak(models.device)
    run = run_batches(subject, batches_of(models.sentences(subject, count), size), settings=settings)
    figures = summarise(subject, run, batch_size=size)
    said = ", ".join(f"{name} {one.sentences_per_second:.1f}" for name, one in figures.contenders.items())
    found.note(
        f"sentences/s: {said}; drafted ÷ floor {figures.contenders['drafted'].to_floor:.2f}, "
        f"{figures.passes_per_sentence:.2f} passes",
        **figures.to_json(),
        peak_gb=peak_gigabytes(models.device),
    )


def _windows(models: BenchModels, clock: Clock, found: Findings) -> None:
    """Sentences per second by the draft moves that a pass reads."""
    subject, size = models.subject(models.fast_precision), models.sizes.window_batch
    sentences = models.sentences(subject, 2 * size)
    for window in models.sizes.windows:
        if clock.left < 0:
            break
        seconds, passes = _window_seconds(subject, sentences, window=window, size=size)
        found.note(
            f"{window}: {len(sentences) / seconds:.1f}/s, {passes / len(sentences):.2f} passes",
            **{f"window_{window}": {"sentences_per_second": len(sentences) / seconds, "passes": passes}},
        )


def _window_seconds(
    subject: BenchSubject, sentences: Sequence[BenchSentence], *, window: int, size: int
) -> tuple[float, int]:
    decoder = DraftedDecoder(subject.network, window=window)
    batches = batches_of(sentences, size)
    decoder.decode(batches[-1].rows, subject.tokens)
    wait_for(subject.loaded.device)
    before, started = decoder.passes, time.perf_counter()
    for batch in batches:
        decoder.decode(batch.rows, subject.tokens)
    wait_for(subject.loaded.device)
    return time.perf_counter() - started, decoder.passes - before


def _profile(models: BenchModels, found: Findings) -> None:
    """Which share of a decode the device is at work, and what Python does meanwhile."""
    subject, size = models.subject(models.fast_precision), models.sizes.decode[-1][0]
    batch = batches_of(models.sentences(subject, size), size)[-1]
    decoder = DraftedDecoder(subject.network)

    def decode() -> Any:
        return decoder.decode(batch.rows, subject.tokens)

    figures = where_time_goes(decode, models.device)
    found.note(f"batch {size}: {figures.pop('says')}", **figures)
