"""How a device trains: tokens per second and memory of steps of `train sft`, on the default base and a large shape."""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM

from bioner_core.benchmark.machine import wait_for
from bioner_core.benchmark.random_models import random_configuration
from bioner_core.device_bench.bench_models import BenchModels, peak_gigabytes, reset_peak
from bioner_core.device_bench.sample_sentences import sample_records
from bioner_core.device_bench.settings import STAND_IN
from bioner_core.device_bench.stand_in import (
    SMOLLM2_135M,
    TINY,
    VOCABULARY,
    ChunkTokenizer,
    can_hold_four_bits,
    hold_in_four_bits,
    llama_configuration,
)
from bioner_core.device_bench.steps import Clock, Findings, Step, StepSkippedError
from bioner_core.errors import ModelError, install_words
from bioner_core.inference.device_budget import is_out_of_memory
from bioner_core.inference.row_isolation import free_memory
from bioner_core.labels.label_set import LabelSet
from bioner_core.models.attention import GROUPED_ATTENTION, SDPA_ATTENTION
from bioner_core.models.base_model import base_folder
from bioner_core.models.directory import model_folder
from bioner_core.models.model_card import read_card
from bioner_core.models.precision import number_format
from bioner_core.models.tag_choice import free_tags
from bioner_core.models.vocabulary import TaggingVocabulary
from bioner_core.tagging.scheme import TagScheme
from bioner_core.training.batches import MixedCorpus, mixed_batches
from bioner_core.training.examples import ExampleBuilder
from bioner_core.training.loss import LegalMoveLoss, training_batch
from bioner_core.training.optimization import MasterWeights, make_optimizer, set_rates, trained_tensors
from bioner_core.training.prompt_variation import usual_prompt
from bioner_core.training.settings import CorpusMix, SftSettings, Tuning
from bioner_core.training.sft import SftRun
from bioner_core.training.trainable import TrainableModel, trainable_around

_SENTENCES = 4_000
_MOST_TOKENS = 10**9
_BASE_STEPS = 30


def training_steps(models: BenchModels) -> list[Step]:
    """The steps of the part `trains`."""
    return [
        *(
            Step(
                f"train sft, {tokens} tokens per batch",
                10 if models.on_gpu else 5,
                lambda clock, found, tokens=tokens: _default_base(models, tokens, clock, found),  # type: ignore[misc]
            )
            for tokens in models.sizes.train_tokens
        ),
        *(
            Step(
                f"{name} on the large shape, {tokens} tokens per batch",
                12 if models.on_gpu else 2,
                lambda clock, found, tokens=tokens, kind=kind: _large_shape(models, tokens, clock, found, tuning=kind),  # type: ignore[misc]
            )
            for name, kind in (("LoRA", Tuning.LORA), ("QLoRA", Tuning.QLORA))
            for tokens in models.sizes.large_train_tokens
        ),
    ]


def _default_base(models: BenchModels, batch_tokens: int, clock: Clock, found: Findings) -> None:
    """`SftRun` itself where the base is at hand, else its step on random weights of the default base's shape."""
    base = _base_at_hand(models)
    if base is None:
        shape = SMOLLM2_135M if models.on_gpu else TINY
        trainable = random_trainable(llama_configuration(shape), models, settings=_settings(models, batch_tokens))
        found.note("random weights of the base's shape: the base is not at hand", is_stand_in=True)
        _time_steps(trainable, models, batch_tokens, clock, found)
        return
    found.note(base, base=base, is_stand_in=False)
    reset_peak(models.device)
    with tempfile.TemporaryDirectory() as folder:
        points = _sft_points(base, models, batch_tokens, clock, Path(folder))
    free_memory()
    _note_rate(points, models, batch_tokens, found)


def _base_at_hand(models: BenchModels) -> str | None:
    """The base of the benched model; None where it is not pulled, or the model is a stand-in."""
    if models.model == STAND_IN:
        return None
    try:
        base = read_card(model_folder(models.model)).base
        base_folder(base)
    except ModelError:
        return None
    return base


def _sft_points(
    base: str, models: BenchModels, batch_tokens: int, clock: Clock, folder: Path
) -> list[tuple[int, float, int]]:
    """Run `train sft` for a few dozen steps: tokens and seconds and steps at each line of its log."""
    corpus = folder / "samples.jsonl"
    _write_samples(corpus, _SENTENCES if models.on_gpu else 60)
    steps = _BASE_STEPS if models.on_gpu else models.sizes.train_steps
    settings = SftSettings(
        corpora=(CorpusMix(str(corpus), models.label_set.name),),
        base=base,
        batch_tokens=batch_tokens,
        max_tokens=batch_tokens * steps,
        max_minutes=max(0.05, min(1.0, clock.left / 3 / 60)),
        checkpoint_steps=_MOST_TOKENS,
    )
    points: list[tuple[int, float, int]] = []
    run = SftRun(settings, folder / "model", log=lambda _: points.append(_point(run)))
    run.train()
    return [one for one in points if one[2]] or [_point(run)]


def _point(run: SftRun) -> tuple[int, float, int]:
    return run.progress.tokens, run.progress.seconds, run.progress.steps


def _note_rate(points: list[tuple[int, float, int]], models: BenchModels, batch_tokens: int, found: Findings) -> None:
    """The rate between the first and the last point, so that warming up does not count where there are two."""
    first, last = points[0], points[-1]
    if last[0] == first[0]:
        first = (0, 0.0, 0)
    rate = (last[0] - first[0]) / max(last[1] - first[1], 1e-9)
    peak = peak_gigabytes(models.device)
    found.note(
        f"{rate:.0f} tokens/s over {last[2] - first[2]} steps" + ("" if peak is None else f", peak {peak} GB"),
        tokens_per_second=rate,
        steps=last[2] - first[2],
        batch_tokens=batch_tokens,
        peak_gb=peak,
        first_tokens=points[0][0],
        first_seconds=points[0][1],
    )


def _write_samples(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        for one in sample_records(count):
            entities = [{"start": span.start, "end": span.end, "type": span.type} for span in one.spans]
            record = {"id": one.record_id, "lang": one.lang, "text": one.text, "entities": entities}
            file.write(json.dumps(record) + "\n")


def _settings(models: BenchModels, batch_tokens: int, tuning: Tuning = Tuning.LORA) -> SftSettings:
    return SftSettings(
        tuning=tuning,
        corpora=(CorpusMix("samples", models.label_set.name),),
        batch_tokens=batch_tokens,
        precision=models.fast_precision,
        gradient_checkpointing=False,
    )


def random_trainable(configuration: Any, models: BenchModels, *, settings: SftSettings) -> TrainableModel:
    """A trainable model of a shape, with random weights, made on the device."""
    vocabulary = TaggingVocabulary(
        ChunkTokenizer(),
        base_size=configuration.vocab_size,
        tags=(*(one.tag for one in models.label_set.types), *free_tags()),
        characters="",
    )
    attention = SDPA_ATTENTION if models.on_gpu else GROUPED_ATTENTION
    torch.manual_seed(0)
    with torch.device(models.device):
        language_model = AutoModelForCausalLM.from_config(
            configuration, dtype=number_format(settings.precision), attn_implementation=attention
        )
        language_model.requires_grad_(False)
        if settings.tuning is Tuning.QLORA:
            hold_in_four_bits(language_model, compute=number_format(settings.precision))
        trainable = trainable_around(language_model, vocabulary, settings=settings)
        with torch.no_grad():
            for rows in (trainable.model.added_rows, trainable.model.move_rows, trainable.model.definition_keys):
                rows.normal_(std=0.02)
    trainable.model.to(models.device)
    return trainable


def _large_shape(models: BenchModels, batch_tokens: int, clock: Clock, found: Findings, *, tuning: Tuning) -> None:
    """LoRA on the large shape, or QLoRA; without recomputation first, with it where that does not fit."""
    if tuning is Tuning.QLORA and not can_hold_four_bits():
        raise StepSkippedError(f"bitsandbytes is not installed: {install_words('qlora')}")
    configuration = llama_configuration(TINY) if models.sizes.shape == "tiny" else _of_shape(models.sizes.shape)
    settings = _settings(models, batch_tokens, tuning)
    trainable = random_trainable(configuration, models, settings=settings)
    # Four-bit layers count what they hold: two weights in each byte.
    weights = sum(one.numel() * (2 if one.dtype == torch.uint8 else 1) for one in trainable.model.parameters())
    found.note(f"{weights / 1e9:.2f} G weights", parameters=weights, recompute=False)
    try:
        _time_steps(trainable, models, batch_tokens, clock, found)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        found.note("does not fit without recomputing layers", recompute=True)
    if found.figures["recompute"]:
        free_memory()
        _time_steps(trainable, models, batch_tokens, clock, found)


def _of_shape(shape: str) -> Any:
    configuration = random_configuration(shape)
    configuration.vocab_size = VOCABULARY
    return configuration


def _time_steps(
    trainable: TrainableModel, models: BenchModels, batch_tokens: int, clock: Clock, found: Findings
) -> None:
    """A few optimizer steps as `train sft` makes them; the first does not count."""
    recompute = bool(found.figures.get("recompute"))
    settings = _settings(models, batch_tokens)
    loss = LegalMoveLoss(trainable.model, recompute=recompute)
    masters = MasterWeights(trainable.adapter_parameters)
    optimizer = make_optimizer(trainable.model, masters.masters, settings=settings)
    set_rates(optimizer, 1.0)
    reset_peak(models.device)
    points, tokens, spent = list[tuple[int, float, int]](), 0, 0.0
    batches = _batches(trainable, models.label_set, batch_tokens, count=_SENTENCES if models.on_gpu else 60)
    most = clock.left / 3
    for step, (tensors, size) in enumerate(batches, start=1):
        started = time.perf_counter()
        loss(tensors(models.device)).loss.backward()
        masters.take_gradients()
        nn.utils.clip_grad_norm_(trained_tensors(optimizer), settings.gradient_clip)
        optimizer.step()
        optimizer.zero_grad()
        masters.give_back()
        wait_for(models.device)
        tokens, spent = tokens + size, spent + time.perf_counter() - started
        points.append((tokens, spent, step))
        if step > models.sizes.train_steps or spent > most:
            break
    _note_rate(points, models, batch_tokens, found)


def _batches(trainable: TrainableModel, label_set: LabelSet, batch_tokens: int, *, count: int) -> Any:
    """Batches without end, each as what makes its tensors, and its tokens as `train sft` counts them."""
    prompt = usual_prompt(label_set, vocabulary=trainable.vocabulary, scheme=TagScheme.INLINE)
    builder = ExampleBuilder(label_set, prompt.tokens, vocabulary=trainable.vocabulary, scheme=TagScheme.INLINE)
    examples = tuple(one for record in sample_records(count) for one in builder.examples(record.text, record.spans))
    corpus = MixedCorpus(label_set.name, 1.0, examples)
    for batch in mixed_batches([corpus], batch_tokens=batch_tokens, seed=13):

        def tensors(device: torch.device, batch: Any = batch) -> Any:
            return training_batch(
                batch,
                prefix=prompt.tokens.prefix,
                open_rows=prompt.open_rows,
                definition_ends=prompt.tokens.definition_ends,
            ).to(device)

        yield tensors, sum(len(one.input_ids) for one in batch)
