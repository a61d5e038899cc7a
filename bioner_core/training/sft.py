"""Supervised fine-tuning: one bilingual model from all corpora of the mix, on accelerate."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from torch import Tensor, nn

from bioner_core.errors import ModelError
from bioner_core.labels.label_set import LabelSet, load_label_set
from bioner_core.models.directory import model_folder
from bioner_core.models.model_card import ModelCard, read_card
from bioner_core.models.model_files import row_names, save_model
from bioner_core.process_memory import peak_memory
from bioner_core.spoken import spoken_count
from bioner_core.tagging.scheme import TagScheme
from bioner_core.training.batches import Batch, MixedCorpus, mixed_batches, plan_digest, step_batches
from bioner_core.training.checkpoint import LogWindow, TrainingProgress, load_checkpoint, save_checkpoint
from bioner_core.training.corpora import (
    build_mix,
    frequent_characters,
    named_label_sets,
    tags_of,
    training_records,
)
from bioner_core.training.development import development_f1, development_sets, mean_f1
from bioner_core.training.earlier_stage import (
    run_prompt_version,
    tags_with_earlier,
    take_up_model,
)
from bioner_core.training.kept_values import BestValues, LastValues
from bioner_core.training.language_model_loss import LanguageModelLoss
from bioner_core.training.loss import LegalMoveLoss, LossParts, TrainingBatch, training_batch
from bioner_core.training.optimization import MasterWeights, make_optimizer, rate_factor, set_rates, trained_tensors
from bioner_core.training.prompt_variation import BatchPrompt, under_prompt, usual_prompt, varied_prompt
from bioner_core.training.run_inputs import run_inputs
from bioner_core.training.settings import SftSettings, TrainingLoss, continued_settings
from bioner_core.training.step_loader import PreparedStep, prepared_steps
from bioner_core.training.trainable import TrainableModel, make_trainable, one_token_of
from bioner_core.training.training_card import training_card, training_facts

LOG_STEPS = 10
"""Steps that one line of the log is about; the first step has one of its own."""

LOG_SECONDS = 60.0
"""Seconds of training after which a line is written before so many steps are done: slow machines are watched too."""

FIRST_CHECKPOINT_SECONDS = 120.0
"""Seconds of training after which the first checkpoint is written at the latest, however many steps they are."""


@dataclass(frozen=True, slots=True)
class PromptedBatch:
    """Examples, and the prompt that they stand under."""

    examples: Batch
    prompt: BatchPrompt


class SftRun:
    """One fine-tuning run: model, optimizer, progress. Resumes from the checkpoint in its output folder.

    Started in several processes (`torchrun`), each takes its share of every step's batches; the sum of their gradients
    is that of one process with as many batches per step. Only the main process logs, evaluates and writes.
    """

    def __init__(self, settings: SftSettings, output: Path, *, log: Callable[[str], None]) -> None:
        if settings.threads:
            torch.set_num_threads(settings.threads)
        self.settings = settings = continued_settings(settings)
        self.output = output
        self._accelerator = Accelerator(cpu=not torch.cuda.is_available())
        self._log = log if self.is_main else _say_nothing
        self._log(f"loading {settings.start_model or settings.base} and the corpora ...")
        self._label_sets = named_label_sets(settings.corpora)
        # Read now and not when the card is written: a file may change while the run goes on.
        self._own_label_sets = [
            load_label_set(name) for name in dict.fromkeys(one.label_set for one in settings.corpora)
        ]
        self.trainable = _trainable(settings, self._accelerator.device)
        self._loss = _make_loss(settings, self.trainable)
        self._masters = MasterWeights(self.trainable.adapter_parameters)
        self._optimizer = make_optimizer(self.trainable.model, self._masters.masters, settings=settings)
        self._prompts = {
            name: usual_prompt(
                one,
                vocabulary=self.trainable.vocabulary,
                scheme=settings.scheme,
                version=run_prompt_version(settings),
            )
            for name, one in self._label_sets.items()
        }
        self._foreign_names = sorted({words for one in self._label_sets.values() for words in _names_of(one)})
        self._mix: list[MixedCorpus] = []
        # Read now: a development file that is missing must not be found out after an hour.
        self._development = development_sets(settings) if settings.evaluate_steps else []
        self._best = BestValues(output / "best.safetensors")
        self._last = LastValues(output / "last_checkpoints", count=settings.average_checkpoints)
        self.progress = self._resumed_progress()
        self._saved_seconds = self.progress.seconds
        self._counted_until = time.monotonic()
        self._masters.give_back()
        if self.is_main and not self.progress.steps:
            self._best.forget()
            self._last.forget()

    def train(self) -> None:
        """Train until the token or time budget is used up, then write the model directory."""
        self._mix = build_mix(self.settings, self.trainable.vocabulary)
        self._say_mix()
        self._check_same_examples()
        plan = mixed_batches(self._mix, batch_tokens=self.settings.batch_tokens, seed=self.settings.seed)
        window = LogWindow(self.progress)
        # Time counts from here, waiting for prepared batches included: a budget in minutes is one of a clock.
        self._counted_until = time.monotonic()
        done = self.progress.steps
        steps = step_batches(plan, per_step=self.batches_per_step, done_steps=done)
        for step in prepared_steps(steps, self.prepare, first=done, workers=self.settings.loader_workers):
            if self.share_done >= 1.0:
                break
            for parts in self._step(step):
                window.add(parts)
            if self._is_log_due(window):
                self._log(window.line(self.progress, self.share_done))
                window = LogWindow(self.progress)
            self._after_step()
            self._counted_until = time.monotonic()  # evaluating and saving are no training
        self._save_checkpoint()
        self._log(f"peak resident memory of this process: {peak_memory() / 1e6:,.0f} MB (millions of bytes)")
        self._finish()

    def _say_mix(self) -> None:
        for corpus in self._mix:
            tokens = sum(len(one.input_ids) for one in corpus.examples)
            size = f"{len(corpus.examples)} examples, {tokens} tokens"
            self._log(f"corpus {corpus.label_set}: {size}, weight {corpus.weight:.4g}")
            if corpus.left_out:
                count = spoken_count(corpus.left_out, "sentence")
                self._log(f"  left out: {count} that a corpus of this mix holds out")
            if corpus.lost.total:
                self._log(f"  not trained on: {corpus.lost.total} of {corpus.marked} gold mentions: {corpus.lost}")

    def _check_same_examples(self) -> None:
        """Whether a checkpoint from before held-out texts were left out of every corpus is of the same examples."""
        if self._is_from_before and any(corpus.left_out for corpus in self._mix):
            raise ModelError(
                f"checkpoint {self._checkpoint} is of a run from before sentences that one corpus holds out were left "
                "out of all, so its batches cannot be continued: remove it or name another output"
            )

    def _is_log_due(self, window: LogWindow) -> bool:
        """Whether a line is to be written; its seconds are common to all processes."""
        steps = self.progress.steps
        return steps == 1 or steps % LOG_STEPS == 0 or window.seconds(self.progress) >= LOG_SECONDS

    @property
    def is_main(self) -> bool:
        """Whether this process is the one that logs and writes."""
        return bool(self._accelerator.is_main_process)

    @property
    def batches_per_step(self) -> int:
        """How many batches of the plan one optimizer step takes, all processes together."""
        return self.settings.gradient_accumulation * int(self._accelerator.num_processes)

    @property
    def share_done(self) -> float:
        """The used share of the budget that runs out first."""
        return max(
            self.progress.tokens / self.settings.max_tokens,
            self.progress.seconds / 60 / self.settings.max_minutes,
        )

    @property
    def _checkpoint(self) -> Path:
        return self.output / "checkpoint"

    def _step(self, step: PreparedStep) -> list[LossParts]:
        """One optimizer step, of which this process has its share of the batches."""
        set_rates(self._optimizer, rate_factor(self.share_done, self.settings))
        # Invariant: each batch is weighted by its share of the step's terms, so a step is one mean over all its choices
        # however they are split over batches and processes.
        done = [self._backward(one, step.terms) for one in step.batches]
        self._update()
        now = time.monotonic()
        self.progress = replace(
            self.progress,
            steps=self.progress.steps + 1,
            tokens=self.progress.tokens + step.tokens,
            seconds=self._common(self.progress.seconds + now - self._counted_until),
        )
        self._counted_until = now
        return done

    def prepare(self, batches: Sequence[Batch], step: int) -> PreparedStep:
        """The batches of a step as the loss takes them: those that fall to this process, on the processor's memory."""
        prompted = self.prompted(batches, step=step)
        accelerator = self._accelerator
        own = prompted[accelerator.process_index :: accelerator.num_processes]
        return PreparedStep(
            batches=tuple(self.tensors_of(one) for one in own),
            terms=sum(self._loss.term_count(one.examples) for one in prompted),
            tokens=sum(len(one.input_ids) for batch in prompted for one in batch.examples),
        )

    def prompted(self, batches: Sequence[Batch], *, step: int = 0) -> list[PromptedBatch]:
        """The batches of a step, some under prompts of their own.

        Seed and place in the plan alone decide which and how, so that a resumed run repeats them.
        """
        first = step * self.batches_per_step
        return [self._prompted(examples, first + place) for place, examples in enumerate(batches)]

    def _prompted(self, examples: Batch, place: int) -> PromptedBatch:
        name = examples[0].label_set
        chooser = random.Random(f"{self.settings.seed} {place}")  # noqa: S311 - sampling, not secrecy
        is_varied = self.settings.scheme is TagScheme.INLINE and chooser.random() < self.settings.varied_prompts
        if not is_varied:
            return PromptedBatch(examples, self._prompts[name])
        vocabulary = self.trainable.vocabulary
        own = self._label_sets[name]
        # A chance of 0 draws nothing, so that runs from before there were long prompts keep their order.
        is_long = self.settings.long_prompts > 0 and chooser.random() < self.settings.long_prompts
        others = [one for one in self._label_sets.values() if one.languages == own.languages and one.name != name]
        prompt = varied_prompt(
            own, self._foreign_names, vocabulary=vocabulary, chooser=chooser, others=others if is_long else ()
        )
        return PromptedBatch(tuple(under_prompt(one, prompt, vocabulary=vocabulary) for one in examples), prompt)

    def _backward(self, batch: TrainingBatch, terms: int) -> LossParts:
        """Add the gradients of one batch, weighted by its share of the step's `terms`."""
        parts: LossParts = self._loss(batch.to(self._accelerator.device))
        self._accelerator.backward(parts.loss * (parts.terms / terms))
        self._masters.take_gradients()
        return parts

    def _update(self) -> None:
        """Sum the gradients over the processes, clip them, and move the weights."""
        trained = trained_tensors(self._optimizer)
        if self._accelerator.num_processes > 1:
            for value in trained:
                gradient = torch.zeros_like(value) if value.grad is None else value.grad
                value.grad = self._accelerator.reduce(gradient, reduction="sum")
        nn.utils.clip_grad_norm_(trained, self.settings.gradient_clip)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self._masters.give_back()

    def _common(self, seconds: float) -> float:
        """The main process's seconds: the budget and the rates must be the same everywhere."""
        if self._accelerator.num_processes == 1:
            return seconds
        told = torch.tensor([seconds], dtype=torch.float64, device=self._accelerator.device)
        return float(broadcast(told)[0])

    def tensors_of(self, batch: PromptedBatch) -> TrainingBatch:
        """The batch as tensors, not yet on the device."""
        prompt = batch.prompt
        return training_batch(
            batch.examples,
            prefix=prompt.tokens.prefix,
            open_rows=prompt.open_rows,
            definition_ends=prompt.tokens.definition_ends if self.settings.definition_rank else (),
        )

    def _after_step(self) -> None:
        """Evaluate and save when it is time to."""
        if self.settings.evaluate_steps and self.progress.steps % self.settings.evaluate_steps == 0:
            if self.is_main:
                self._evaluate(f"step {self.progress.steps}")
            self._accelerator.wait_for_everyone()
        if self.progress.steps % self.settings.checkpoint_steps == 0:
            self._save_checkpoint()
        elif self.progress.seconds - self._saved_seconds >= self._most_seconds_unsaved:
            # Such a checkpoint is for going on alone: the mean over the last ones is of those that the settings name.
            self._save_checkpoint(is_kept=False)

    def _evaluate(self, origin: str) -> None:
        """Decode the development sets with the weights as they are, and keep them if they are the best so far."""
        found = development_f1(self.trainable, self._development, card=self._card())
        is_best = self._best.offer(self._trained_values(), f1=mean_f1(found), origin=origin)
        scores = ", ".join(f"{name} {one:.4f}" for name, one in found.items())
        self._log(f"{origin}: development F1 {mean_f1(found):.4f}{' (best)' if is_best else ''}: {scores}")

    def _finish(self) -> None:
        """Write the model; where it comes from is in its card."""
        if self.is_main:
            origin = self._take_final_weights()
            metrics = {"development in training": {"f1": round(self._best.f1, 4)}} if self._development else {}
            self._log(f"the model is that of {origin}")
            card = self._card({"weights_of": origin}, metrics)
            save_model(self.output, card, model=self.trainable.model, adapted=self.trainable.adapted)
        self._accelerator.wait_for_everyone()

    def _take_final_weights(self) -> str:
        """The last weights, or their mean over the last checkpoints; where those were evaluated, the best of all."""
        origin = f"step {self.progress.steps}"
        if self._development and self.progress.steps % self.settings.evaluate_steps:
            self._evaluate(origin)
        if self.settings.average_checkpoints > 1:
            count = self._last.load_mean(self._trained_values(), step=self.progress.steps)
            self._masters.give_back()
            origin = f"mean of the last {count} checkpoints"
            if self._development:
                self._evaluate(origin)
        if self._development:
            origin = self._best.load(self._trained_values())
            self._masters.give_back()
        return origin

    def _resumed_progress(self) -> TrainingProgress:
        """Progress of the checkpoint, which must be of a run with the same order of batches, from the same files."""
        with self._accelerator.main_process_first():
            found = load_checkpoint(self._checkpoint, values=self._trained_values(), optimizer=self._optimizer)
        plan = plan_digest(self.settings, self.batches_per_step)
        if found.plan not in ("", plan):
            raise ModelError(
                f"checkpoint {self._checkpoint} is of a run with another seed, batch size, scheme, mix of corpora, "
                "varied_prompts or long_prompts, or other batches per step (gradient_accumulation times processes), so "
                "its batches cannot be continued: remove it or name another output"
            )
        inputs = run_inputs(self.settings)
        # A checkpoint from before these digests were kept has none: what it was made from cannot be told.
        self._is_from_before = found.steps > 0 and not found.made_from
        known = found.made_from or inputs
        changed = sorted(name for name in known.keys() | inputs.keys() if known.get(name) != inputs.get(name))
        if changed:
            raise ModelError(
                f"checkpoint {self._checkpoint} was made from something else under these names: {', '.join(changed)}; "
                "put back what it was made from, remove it, or name another output"
            )
        return replace(found, plan=plan, made_from=inputs)

    def _trained_values(self) -> dict[str, Tensor]:
        model = self.trainable.model
        values: dict[str, Tensor] = {f"adapter/{index}": master for index, master in enumerate(self._masters.masters)}
        return values | {name: getattr(model, name) for name in row_names(model)}

    @property
    def _most_seconds_unsaved(self) -> float:
        most = 60 * self.settings.checkpoint_minutes
        return most if self._saved_seconds else min(most, FIRST_CHECKPOINT_SECONDS)

    def _save_checkpoint(self, *, is_kept: bool = True) -> None:
        self._saved_seconds = self.progress.seconds
        if self.is_main:
            values = self._trained_values()
            if is_kept:
                self._last.keep(values, step=self.progress.steps)
            save_checkpoint(self._checkpoint, self.progress, values=values, optimizer=self._optimizer)

    def _card(self, about: dict[str, Any] | None = None, metrics: dict[str, Any] | None = None) -> ModelCard:
        facts = training_facts(
            self.settings,
            self.progress,
            per_step=self.batches_per_step,
            weights=[corpus.weight for corpus in self._mix],
            device=str(self._accelerator.device),
            peak_memory=peak_memory(),
        )
        return training_card(
            self.output.name,
            self.settings,
            vocabulary=self.trainable.vocabulary,
            label_sets=self._own_label_sets,
            training=facts | (about or {}),
            metrics=metrics,
        )


def _trainable(settings: SftSettings, device: torch.device) -> TrainableModel:
    if not settings.start_model:
        texts = (record.text for corpus in settings.corpora for record in training_records(corpus))
        is_whole = one_token_of(settings.base)
        characters = frequent_characters(texts, at_least=settings.rare_character, is_whole=is_whole)
        return make_trainable(settings, tags=tags_of(settings.corpora), characters=characters, device=device)
    folder = model_folder(settings.start_model)
    label_sets = [load_label_set(one.label_set) for one in settings.corpora]
    tags, characters = tags_with_earlier(folder, label_sets), list(read_card(folder).characters)
    trainable = make_trainable(settings, tags=tags, characters=characters, device=device)
    take_up_model(trainable, folder, settings=settings, label_sets=label_sets)
    return trainable


def _make_loss(settings: SftSettings, trainable: TrainableModel) -> LegalMoveLoss | LanguageModelLoss:
    recompute = settings.gradient_checkpointing
    if settings.loss is TrainingLoss.LEGAL_MOVES:
        return LegalMoveLoss(trainable.model, recompute=recompute)
    head = trainable.adapted.get_base_model().get_output_embeddings()
    return LanguageModelLoss(trainable.model, trainable.vocabulary, head=head, recompute=recompute)


def _names_of(label_set: LabelSet) -> list[str]:
    return [name for one in label_set.types for name in (one.en, one.zh)]


def _say_nothing(_: str) -> None:
    """What the other processes log."""
