"""What the card of a fine-tuned model says of its training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bioner_core.labels.label_set import LabelSet
from bioner_core.models.base_model import base_digest, base_folder
from bioner_core.models.bases import PULLABLE
from bioner_core.models.directory import files_digest, model_folder
from bioner_core.models.model_card import ModelCard, read_card
from bioner_core.models.precision_choice import choose_precision
from bioner_core.models.tag_choice import meanings_of
from bioner_core.models.vocabulary import TaggingVocabulary
from bioner_core.training.checkpoint import TrainingProgress
from bioner_core.training.earlier_stage import run_prompt_version
from bioner_core.training.held_out import HELD_OUT_TEXTS, held_out_words
from bioner_core.training.settings import SftSettings, Tuning


def training_card(
    name: str,
    settings: SftSettings,
    *,
    vocabulary: TaggingVocabulary,
    label_sets: Sequence[LabelSet],
    training: Mapping[str, Any],
    metrics: Mapping[str, Any] | None = None,
) -> ModelCard:
    """The card of a model that was trained with these settings."""
    return ModelCard(
        name=name,
        base=settings.base,
        base_sha256=base_digest(settings.base),
        base_licence=PULLABLE[settings.base].licence.in_words if settings.base in PULLABLE else "",
        scheme=settings.scheme,
        prompt_version=run_prompt_version(settings),
        tags=vocabulary.tags,
        characters="".join(vocabulary.characters),
        label_sets=tuple(one.name for one in label_sets),
        meanings=_meanings(settings, label_sets) if settings.definition_rank else {},
        definition_rank=settings.definition_rank,
        training=dict(training),
        metrics=dict(metrics or {}),
    )


def training_facts(
    settings: SftSettings,
    progress: TrainingProgress,
    *,
    per_step: int,
    weights: Sequence[float],
    device: str,
    peak_memory: int,
) -> dict[str, Any]:
    """The card's table of training: data, effort and hyper-parameters, without paths of this machine.

    `batches` of the plan were trained on, `steps` times as many as a step takes. `peak_memory` are the bytes of
    resident memory that the process had at most; the card has them in MB (millions of bytes).
    """
    rank = {} if settings.tuning is Tuning.FULL else {"lora_rank": settings.lora_rank}
    return {
        "corpora": [f"{Path(one.file).parent.name}/{Path(one.file).name}" for one in settings.corpora],
        "weights": [round(one, 4) for one in weights],
        **_start(settings),
        "steps": progress.steps,
        "batches": progress.steps * per_step,
        "tokens": progress.tokens,
        "minutes": round(progress.seconds / 60, 1),
        "seed": settings.seed,
        "tuning": str(settings.tuning),
        "loss": str(settings.loss),
        "precision": choose_precision(
            settings.precision, on_gpu=device.startswith("cuda"), base=base_folder(settings.base)
        ).name,
        "learning_rate": settings.learning_rate,
        **rank,
        "device": device,
        "peak_memory_mb": round(peak_memory / 1e6),
        HELD_OUT_TEXTS: held_out_words(_earlier_training(settings)),
    }


def _meanings(settings: SftSettings, label_sets: Sequence[LabelSet]) -> dict[str, list[str]]:
    """The definitions of this run's label sets, behind those that the earlier stage was trained under."""
    found = meanings_of(label_sets)
    if not settings.start_model:
        return found
    earlier = read_card(model_folder(settings.start_model)).meanings
    return {tag: list(dict.fromkeys((*earlier.get(tag, ()), *found.get(tag, ())))) for tag in {**earlier, **found}}


def _earlier_training(settings: SftSettings) -> dict[str, Any] | None:
    return read_card(model_folder(settings.start_model)).training if settings.start_model else None


def _start(settings: SftSettings) -> dict[str, str]:
    """The earlier stage that the run went on from: its name, and the digest of its weights."""
    if not settings.start_model:
        return {}
    folder = model_folder(settings.start_model)
    return {"start_model": folder.name, "start_model_sha256": files_digest(folder)}
