"""A model of 7 to 9 billion weights: random ones, made on the device, that write the tags of the small model.

The layers are those of Mistral 7B and Llama 3.1 8B, which differ in their vocabulary alone, and that is looked up.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from statistics import median
from typing import Any

from bioner_core.benchmark.batch_bench import record_tapes, run_batches
from bioner_core.benchmark.batch_summary import summarise
from bioner_core.benchmark.decode_settings import DecodeBenchSettings
from bioner_core.benchmark.machine import matrix_product_rates, wait_for
from bioner_core.benchmark.random_models import random_configuration, random_model
from bioner_core.benchmark.sentences import SentenceBatch, batches_of
from bioner_core.benchmark.subject import BenchSubject
from bioner_core.benchmark.tape import replayed
from bioner_core.decoding.drafted import DraftedDecoder
from bioner_core.device_bench.bench_models import BenchModels, peak_gigabytes, reset_peak
from bioner_core.device_bench.stand_in import TINY, llama_configuration
from bioner_core.device_bench.steps import Clock, Findings, Step
from bioner_core.inference.device_budget import is_out_of_memory
from bioner_core.inference.row_isolation import free_memory
from bioner_core.models.attention import GROUPED_ATTENTION, SDPA_ATTENTION
from bioner_core.models.precision import number_format
from bioner_core.models.tagging_model import TaggingModel

SENTENCES_PER_ABSTRACT = 8.85
"""Of a PubMed citation, as docs/operations.md has it; one label set."""

_SKIP = ("encoders", "floor_with_prompt", "selector")
_SLOW = ("reference", "generate")
_SLOW_TO = 8
"""Above this batch size `generate` and the reference decoder are left out: of such a model they take minutes."""


class LargeModel:
    """The large model, made when it is first asked for, and given back by `forget`."""

    def __init__(self, models: BenchModels) -> None:
        self._models = models
        self._subject: BenchSubject | None = None

    def subject(self) -> BenchSubject:
        """The large network under the small model's vocabulary."""
        if self._subject is None:
            models = self._models
            precision = models.fast_precision
            rate = median(matrix_product_rates(models.device, number_format(precision)))
            small = models.subject(precision, rate=rate)
            network = random_model(large_configuration(models.sizes.shape), like=small.network)
            self._subject = BenchSubject(
                small.loaded, network, small.prepared, rate, is_gold_forced=small.is_gold_forced
            )
        return self._subject

    def forget(self) -> None:
        """Give its memory back."""
        self._subject = None
        free_memory()


def large_configuration(shape: str) -> Any:
    """The configuration of a shape by name; `tiny` is for devices without room."""
    return llama_configuration(TINY) if shape == "tiny" else random_configuration(shape)


def large_steps(models: BenchModels) -> list[Step]:
    """Throughput of the large model by batch size, attention of both kinds, and giving its memory back."""
    large = LargeModel(models)
    return [
        Step("large model", 15, lambda clock, found: _throughput(models, large, clock, found)),
        Step("large model, attention", 8, lambda _, found: _attention(models, large, found)),
        Step("small model, attention", 4, lambda _, found: _small_attention(models, large, found)),
    ]


def _throughput(models: BenchModels, large: LargeModel, clock: Clock, found: Findings) -> None:
    """Abstracts per second at each batch size, as far as memory and half of the part's time allow."""
    started, most = time.perf_counter(), clock.left / 2
    subject = large.subject()
    wait_for(models.device)
    weights = sum(one.numel() for one in subject.network.parameters())
    found.note(
        f"{weights / 1e9:.2f} G weights, made in {time.perf_counter() - started:.1f} s",
        parameters=weights,
        shape=models.sizes.shape,
        made_seconds=time.perf_counter() - started,
        batches=[],
    )
    for size, count in models.sizes.large:
        if time.perf_counter() - started > most:
            found.note(f"no time for batch {size}")
            break
        try:
            figures = _at_batch(models, subject, size, count)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            found.note(f"batch {size} does not fit")
            free_memory()
            continue
        found.figures["batches"].append(figures)
        found.note(figures["says"])
    best = max((one["abstracts_per_second"] for one in found.figures["batches"]), default=0.0)
    found.note(f"best {best:.1f} abstracts/s", best_abstracts_per_second=best)


def _at_batch(models: BenchModels, subject: BenchSubject, size: int, count: int) -> dict[str, Any]:
    settings = DecodeBenchSettings(
        data=Path("samples"), label_set=models.label_set.name, skip=_SKIP + (_SLOW if size > _SLOW_TO else ())
    )
    reset_peak(models.device)
    run = run_batches(subject, batches_of(models.sentences(subject, count), size), settings=settings)
    summary = summarise(subject, run, batch_size=size)
    drafted, floor = summary.contenders["drafted"], summary.contenders["floor"]
    abstracts = drafted.sentences_per_second / SENTENCES_PER_ABSTRACT
    return {
        "says": f"batch {size}: {abstracts:.1f} abstracts/s, {_share(drafted.of_matrix_rate)} of the matrix rate "
        f"(floor {_share(floor.of_matrix_rate)}), drafted ÷ floor {drafted.to_floor:.2f}",
        "abstracts_per_second": abstracts,
        "peak_gb": peak_gigabytes(models.device),
        **summary.to_json(),
    }


def _share(share: float | None) -> str:
    return "?" if share is None else f"{share:.0%}"


def _attention(models: BenchModels, large: LargeModel, found: Findings) -> None:
    """The large model with our grouped attention and with torch's own kernels, on the same batch and tags."""
    try:
        _compare_attention(models, large.subject(), found)
    finally:
        large.forget()


def _small_attention(models: BenchModels, large: LargeModel, found: Findings) -> None:
    """The same with the default model."""
    large.forget()
    _compare_attention(models, models.subject(models.fast_precision), found)


def _compare_attention(models: BenchModels, subject: BenchSubject, found: Findings) -> None:
    size = models.sizes.attention_batch
    batch = batches_of(models.sentences(subject, size), size)[-1]
    tapes = record_tapes(DraftedDecoder, subject, batches=[SentenceBatch(0, batch.sentences)])
    for name in (GROUPED_ATTENTION, SDPA_ATTENTION):
        with attention_of(subject.network, name):
            reset_peak(models.device)
            seconds = _best_seconds(subject, batch, lambda: replayed(subject.network, tapes[0]), models)
        found.note(
            f"{name} {size / seconds:.1f} sentences/s",
            **{name: {"sentences_per_second": size / seconds, "peak_gb": peak_gigabytes(models.device)}},
        )
    found.note(f"batch {size}", batch=size)


def _best_seconds(
    subject: BenchSubject,
    batch: SentenceBatch,
    tags: Callable[[], AbstractContextManager[None]],
    models: BenchModels,
) -> float:
    """The better of two times, after one to warm up."""
    decoder, seconds = DraftedDecoder(subject.network), list[float]()
    for _ in range(3):
        wait_for(models.device)
        started = time.perf_counter()
        with tags() if subject.network is not None else nullcontext():
            decoder.decode(batch.rows, subject.tokens)
        wait_for(models.device)
        seconds.append(time.perf_counter() - started)
    return min(seconds[1:])


@contextmanager
def attention_of(network: TaggingModel, name: str) -> Any:
    """Within the block the network's layers use the attention of that name."""
    config: Any = network.backbone.config
    before = config._attn_implementation
    config._attn_implementation = name
    try:
        yield
    finally:
        config._attn_implementation = before
