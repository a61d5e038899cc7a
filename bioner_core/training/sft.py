"""Supervised fine-tuning: one bilingual model from all corpora of the mix, on accelerate."""

import hashlib
import itertools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import nn

from bioner_core.errors import ConfigurationError, ModelError
from bioner_core.labels.label_set import LabelSet, load_label_set
from bioner_core.models.base_model import base_digest
from bioner_core.models.model_card import ModelCard
from bioner_core.models.model_files import save_model
from bioner_core.models.prompt import PROMPT_VERSION, prompt_tokens
from bioner_core.tagging.scheme import copy_lines
from bioner_core.training.batches import mixed_batches
from bioner_core.training.checkpoint import TrainingProgress, load_checkpoint, save_checkpoint
from bioner_core.training.corpora import build_mix, frequent_characters, tags_of, training_records
from bioner_core.training.examples import TaggingExample
from bioner_core.training.loss import LegalMoveLoss, LossParts, TrainingBatch, training_batch
from bioner_core.training.settings import SftSettings
from bioner_core.training.trainable import MasterWeights, TrainableModel, make_trainable

LOG_STEPS = 10


@dataclass(frozen=True, slots=True)
class PromptParts:
    """What a label set's batches share: the prompt's token ids and the tag index of each type."""

    prefix: tuple[int, ...]
    open_rows: tuple[int, ...]


class SftRun:
    """One fine-tuning run: model, optimizer, progress. Resumes from the checkpoint in its output folder."""

    def __init__(self, settings: SftSettings, output: Path, *, log: Callable[[str], None]) -> None:
        if settings.threads:
            torch.set_num_threads(settings.threads)
        self.settings = settings
        self.output = output
        self._log = log
        self.trainable = _trainable(settings)
        self._accelerator = Accelerator(cpu=not torch.cuda.is_available())
        if self._accelerator.num_processes > 1:
            raise ConfigurationError(
                f"accelerate started {self._accelerator.num_processes} processes, and each would train the same "
                "batches: start one (`accelerate launch --num_processes 1`, or plain `bioner train sft`)"
            )
        self._loss: nn.Module = self._accelerator.prepare_model(LegalMoveLoss(self.trainable.model))
        self._masters = MasterWeights(self.trainable.adapter_parameters)
        self._optimizer = self._make_optimizer()
        label_sets = [load_label_set(one.label_set) for one in settings.corpora]
        self._prompts = {one.name: _prompt_parts(one, settings, self.trainable) for one in label_sets}
        self.progress = self._resumed_progress()
        self._masters.give_back()

    def train(self) -> None:
        """Train until the token or time budget is used up, then write the model directory."""
        mix = build_mix(self.settings, self.trainable.vocabulary)
        for corpus in mix:
            tokens = sum(len(one.input_ids) for one in corpus.examples)
            self._log(f"corpus {corpus.label_set}: {len(corpus.examples)} examples, {tokens} tokens")
        batches = mixed_batches(mix, batch_tokens=self.settings.batch_tokens, seed=self.settings.seed)
        window = _LogWindow(self.progress)
        for batch in itertools.islice(batches, self.progress.steps, None):
            if self.share_done >= 1.0:
                break
            window.add(self._step(batch))
            if self.progress.steps % LOG_STEPS == 0:
                self._log(window.line(self.progress, self.share_done))
                window = _LogWindow(self.progress)
            if self.progress.steps % self.settings.checkpoint_steps == 0:
                self._save_checkpoint()
        self._save_checkpoint()
        save_model(self.output, self._card(), model=self.trainable.model, adapted=self.trainable.adapted)

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

    def _step(self, examples: Sequence[TaggingExample]) -> LossParts:
        started = time.monotonic()
        batch = self._batch(examples)
        self._set_rates()
        parts: LossParts = self._loss(batch)
        self._accelerator.backward(parts.loss)
        self._masters.take_gradients()
        trained = [value for group in self._optimizer.param_groups for value in group["params"]]
        nn.utils.clip_grad_norm_(trained, self.settings.gradient_clip)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self._masters.give_back()
        self.progress = replace(
            self.progress,
            steps=self.progress.steps + 1,
            tokens=self.progress.tokens + batch.token_count,
            seconds=self.progress.seconds + time.monotonic() - started,
        )
        return parts

    def _batch(self, examples: Sequence[TaggingExample]) -> TrainingBatch:
        prompt = self._prompts[examples[0].label_set]
        return training_batch(
            examples, prefix=prompt.prefix, open_rows=prompt.open_rows, device=self._accelerator.device
        )

    def _make_optimizer(self) -> torch.optim.Optimizer:
        model, settings = self.trainable.model, self.settings
        groups = [
            {"params": self._masters.masters, "peak": settings.learning_rate},
            {"params": [model.added_rows], "peak": settings.learning_rate * settings.added_rows_rate},
            {
                "params": [model.move_rows, model.move_bias],
                "peak": settings.learning_rate * settings.move_rows_rate,
            },
        ]
        return torch.optim.AdamW(groups, lr=settings.learning_rate, weight_decay=0.0, betas=(0.9, 0.98))

    def _resumed_progress(self) -> TrainingProgress:
        """Progress of the checkpoint, which must be of a run with the same order of batches."""
        found = load_checkpoint(self._checkpoint, values=self._trained_values(), optimizer=self._optimizer)
        plan = plan_digest(self.settings)
        if found.plan not in ("", plan):
            raise ModelError(
                f"checkpoint {self._checkpoint} is of a run with another seed, batch size, scheme or mix of corpora, "
                "so its batches cannot be continued: remove it or name another output"
            )
        return replace(found, plan=plan)

    def _set_rates(self) -> None:
        factor = rate_factor(self.share_done, self.settings)
        for group in self._optimizer.param_groups:
            group["lr"] = group["peak"] * factor

    def _trained_values(self) -> dict[str, torch.Tensor]:
        model = self.trainable.model
        values: dict[str, torch.Tensor] = {
            f"adapter/{index}": master for index, master in enumerate(self._masters.masters)
        }
        return values | {"added_rows": model.added_rows, "move_rows": model.move_rows, "move_bias": model.move_bias}

    def _save_checkpoint(self) -> None:
        save_checkpoint(self._checkpoint, self.progress, values=self._trained_values(), optimizer=self._optimizer)

    def _card(self) -> ModelCard:
        settings, progress = self.settings, self.progress
        return ModelCard(
            name=self.output.name,
            base=settings.base,
            base_sha256=base_digest(settings.base),
            scheme=settings.scheme,
            prompt_version=PROMPT_VERSION,
            tags=self.trainable.vocabulary.tags,
            characters="".join(self.trainable.vocabulary.characters),
            label_sets=tuple(self._prompts),
            training={
                "corpora": [f"{Path(one.file).parent.name}/{Path(one.file).name}" for one in settings.corpora],
                "steps": progress.steps,
                "tokens": progress.tokens,
                "minutes": round(progress.seconds / 60, 1),
                "seed": settings.seed,
                "learning_rate": settings.learning_rate,
                "lora_rank": settings.lora_rank,
                "device": str(self._accelerator.device),
            },
        )


def plan_digest(settings: SftSettings) -> str:
    """Digest of the settings that decide which examples make up which batch."""
    parts = [str(settings.seed), str(settings.batch_tokens), str(settings.scheme)]
    parts.extend(f"{one.file}|{one.label_set}|{one.weight}|{one.held_out}" for one in settings.corpora)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def rate_factor(share_done: float, settings: SftSettings) -> float:
    """The learning rate's factor: linear warm-up, then a cosine down to `final_rate`."""
    if share_done < settings.warmup_share:
        return max(share_done / settings.warmup_share, 0.02)
    rest = (share_done - settings.warmup_share) / (1 - settings.warmup_share)
    return settings.final_rate + (1 - settings.final_rate) * 0.5 * (1 + math.cos(math.pi * min(rest, 1.0)))


def _trainable(settings: SftSettings) -> TrainableModel:
    texts = (record.text for corpus in settings.corpora for record in training_records(corpus))
    characters = frequent_characters(texts, at_least=settings.rare_character)
    return make_trainable(settings, tags=tags_of(settings.corpora), characters=characters)


def _prompt_parts(label_set: LabelSet, settings: SftSettings, trainable: TrainableModel) -> PromptParts:
    lines = copy_lines(settings.scheme, len(label_set.types))
    prompt = prompt_tokens(label_set, lines, vocabulary=trainable.vocabulary, scheme=settings.scheme)
    tags = trainable.vocabulary.tags
    return PromptParts(prompt.prefix, tuple(tags.index(one.tag) for one in label_set.types))


class _LogWindow:
    """Sums since the last log line."""

    def __init__(self, start: TrainingProgress) -> None:
        self._start = start
        self._loss = 0.0
        self._choices = self._gold = self._predicted = self._right = 0

    def add(self, parts: LossParts) -> None:
        self._loss += float(parts.loss.detach()) * parts.choices
        self._choices += parts.choices
        self._gold += parts.gold_tags
        self._predicted += parts.predicted_tags
        self._right += parts.right_tags

    def line(self, now: TrainingProgress, share_done: float) -> str:
        """One line: step, loss, recall and precision of tags given gold history, tokens a second, minutes left."""
        seconds = max(now.seconds - self._start.seconds, 1e-9)
        left = now.seconds / 60 * (1 - share_done) / max(share_done, 1e-9)
        return (
            f"step {now.steps}  loss {self._loss / max(self._choices, 1):.4f}"
            f"  tag recall {self._right / max(self._gold, 1):.3f}"
            f"  precision {self._right / max(self._predicted, 1):.3f}"
            f"  {(now.tokens - self._start.tokens) / seconds:.0f} tokens/s"
            f"  {now.tokens} tokens  {share_done:.1%} done  {left:.0f} min left"
        )
