"""Settings of supervised fine-tuning: typed, validated before anything starts, each with where it came from."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from bioner_core.errors import ConfigurationError, cause_of
from bioner_core.models.directory import model_folder
from bioner_core.models.model_card import read_card
from bioner_core.models.precision import AUTO, TRAINING_PRECISIONS, check_precision
from bioner_core.tagging.scheme import TagScheme


class Tuning(StrEnum):
    """Which weights of the base are trained; added rows and the rows of the moves always are.

    `qlora` is `lora` beside a base that is held in four bits (NF4).
    """

    LORA = "lora"
    FULL = "full"
    QLORA = "qlora"


class TrainingLoss(StrEnum):
    """What is minimised: the gold moves among the legal ones, or the whole copy as an ordinary language model."""

    LEGAL_MOVES = "legal_moves"
    LANGUAGE_MODEL = "language_model"


_ENUMS: Mapping[str, type[StrEnum]] = {"scheme": TagScheme, "tuning": Tuning, "loss": TrainingLoss}
_ABOVE_ZERO = (
    "max_tokens",
    "max_minutes",
    "batch_tokens",
    "gradient_accumulation",
    "learning_rate",
    "lora_rank",
    "lora_alpha",
    "gradient_clip",
    "checkpoint_steps",
    "checkpoint_minutes",
    "average_checkpoints",
    "evaluate_sentences",
)


@dataclass(frozen=True, slots=True)
class CorpusMix:
    """One corpus in the mix: its JSONL file, its label set, and its share of the training batches.

    No corpus of a mix has a `weight`, or all have: without, the weights follow from sizes and `mix_temperature`. The
    last `held_out` records are never trained on: they are the development set of a corpus that has none. `types` are
    those of the label set that the corpus marks, where it does not mark all: the others are not asked for there, since
    what is not marked is unknown and not absent.
    """

    file: str
    label_set: str
    weight: float | None = None
    held_out: int = 0
    types: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.weight is not None and (not _is_number(self.weight) or self.weight <= 0):
            raise ConfigurationError(f"corpora.weight: {self.weight!r} for {self.file!r}; give a number above 0")
        if type(self.held_out) is not int or self.held_out < 0:
            raise ConfigurationError(f"corpora.held_out: {self.held_out!r} for {self.file!r}; give a count from 0")


@dataclass(frozen=True, slots=True)
class SftSettings:
    """Hyper-parameters of fine-tuning; tokens count source, separator and copy, not the shared prompt.

    `start_model` names a model directory to go on from (a later stage with another mix or rate); empty: from the base.
    `evaluate_steps` of 0 never decodes during training; `development` names a file for a label set, which otherwise
    uses the held-out records of its corpora. One optimizer step takes `gradient_accumulation` batches per process.
    `varied_prompts` is the share of batches whose prompt is drawn anew (`training/prompt_variation.py`), with the
    inline scheme, and `long_prompts` the share of those that hold types of other corpora besides; `definition_rank`
    the dimensions in which states are compared with definitions, 0 for none.
    No more than `checkpoint_minutes` pass without a checkpoint, where `checkpoint_steps` take longer.
    `loader_workers` processes prepare batches ahead, 0 for none: on a GPU a few, on a CPU they only take its cores.
    """

    corpora: tuple[CorpusMix, ...]
    base: str = "smollm2-135m-instruct"
    start_model: str = ""
    scheme: TagScheme = TagScheme.INLINE
    tuning: Tuning = Tuning.LORA
    loss: TrainingLoss = TrainingLoss.LEGAL_MOVES
    precision: str = AUTO
    max_tokens: int = 2_000_000
    max_minutes: float = 90.0
    batch_tokens: int = 1_600
    gradient_accumulation: int = 1
    gradient_checkpointing: bool = False
    mix_temperature: float = 2.0
    learning_rate: float = 1e-3
    added_rows_rate: float = 1.0
    move_rows_rate: float = 3.0
    warmup_share: float = 0.02
    final_rate: float = 0.02
    lora_rank: int = 32
    lora_alpha: int = 64
    gradient_clip: float = 1.0
    rare_character: int = 5
    definition_rank: int = 128
    varied_prompts: float = 0.5
    long_prompts: float = 0.0
    seed: int = 13
    threads: int = 0
    loader_workers: int = 0
    checkpoint_steps: int = 100
    checkpoint_minutes: float = 15.0
    average_checkpoints: int = 1
    evaluate_steps: int = 0
    evaluate_sentences: int = 200
    development: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.corpora:
            raise ConfigurationError("corpora: empty; name at least one [[corpora]] with file, label_set and weight")
        for one in fields(self):
            if one.default is not MISSING:
                _check_kind(one.name, getattr(self, one.name), type(one.default))
        self._check_ranges()
        self._check_mix()

    def _check_ranges(self) -> None:
        for name in _ABOVE_ZERO:
            if getattr(self, name) <= 0:
                raise ConfigurationError(f"{name}: {getattr(self, name)}; give a number above 0")
        for name in ("warmup_share", "final_rate"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigurationError(f"{name}: {getattr(self, name)}; give a share from 0 to below 1")
        for name in ("varied_prompts", "long_prompts"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigurationError(f"{name}: {getattr(self, name)}; give a share from 0 to 1")
        if self.long_prompts and self.loss is not TrainingLoss.LEGAL_MOVES:
            raise ConfigurationError(
                f"long_prompts: {self.long_prompts} with loss {str(self.loss)!r}, which would count types that a "
                "corpus does not mark as wrong; use 0, or the loss 'legal_moves'"
            )
        if self.loader_workers < 0:
            raise ConfigurationError(f"loader_workers: {self.loader_workers}; give a count, 0 for none")
        if self.definition_rank < 0:
            raise ConfigurationError(f"definition_rank: {self.definition_rank}; give a count, 0 for none")
        if self.evaluate_steps < 0:
            raise ConfigurationError(f"evaluate_steps: {self.evaluate_steps}; give a count, 0 for never")
        if self.mix_temperature < 1:
            raise ConfigurationError(f"mix_temperature: {self.mix_temperature}; give a number from 1 (by size) up")
        check_precision(self.precision, TRAINING_PRECISIONS)

    def _check_mix(self) -> None:
        if len({corpus.weight is None for corpus in self.corpora}) > 1:
            raise ConfigurationError("corpora.weight: some corpora have one and some have none; give all or none")
        label_sets = {corpus.label_set for corpus in self.corpora}
        foreign = sorted(set(self.development) - label_sets)
        if foreign:
            raise ConfigurationError(f"development: {foreign} are not label sets of the corpora {sorted(label_sets)}")
        held_out = {corpus.label_set for corpus in self.corpora if corpus.held_out}
        without = sorted(label_sets - held_out - set(self.development))
        if self.evaluate_steps and without:
            raise ConfigurationError(
                f"development: no file and no held-out records for {without}; name a file there, set held_out for "
                "their corpora, or set evaluate_steps = 0"
            )


@dataclass(frozen=True, slots=True)
class SettingOrigin:
    """One hyper-parameter as used, and where it is from: default, file, command line, or the model to go on from."""

    name: str
    value: object
    origin: str


def read_settings(path: Path, overrides: dict[str, object] | None = None) -> tuple[SftSettings, list[SettingOrigin]]:
    """Read a TOML file of settings; `overrides` (from the command line) win over it.

    Relative corpus files are looked up from the current folder.

    Raises:
        ConfigurationError: the file is missing or not TOML, or a field is unknown or of the wrong type.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"training settings {path}: {cause_of(error)}") from error
    chosen = {name: value for name, value in (overrides or {}).items() if value is not None}
    known = {one.name for one in fields(SftSettings)}
    for name in sorted({*given, *chosen} - known):
        raise ConfigurationError(f"training settings {path}: unknown field {name!r}; known: {sorted(known)}")
    merged = {**given, **chosen}
    try:
        corpora = tuple(CorpusMix(**{**one, "types": tuple(one.get("types", ()))}) for one in merged.pop("corpora", []))
        named: dict[str, Any] = {name: kind(merged.pop(name)) for name, kind in _ENUMS.items() if name in merged}
        settings = SftSettings(corpora=corpora, **named, **merged)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"training settings {path}: {error}") from error
    return settings, _origins(settings, set(given), set(chosen))


def continued_settings(settings: SftSettings) -> SftSettings:
    """The settings of a run with what an earlier stage has fixed: how it reads definitions, and whether at all.

    Raises:
        ModelError: there is no model to go on from.
    """
    return replace(settings, **_fixed_by_start_model(settings))


def continued_origins(settings: SftSettings, origins: Sequence[SettingOrigin]) -> list[SettingOrigin]:
    """Where each setting of `continued_settings` is from, by where those that were given are."""
    fixed = _fixed_by_start_model(settings)
    return [SettingOrigin(one.name, fixed[one.name], "start_model") if one.name in fixed else one for one in origins]


def _fixed_by_start_model(settings: SftSettings) -> dict[str, Any]:
    if not settings.start_model:
        return {}
    rank = read_card(model_folder(settings.start_model)).definition_rank
    return {"definition_rank": rank} if rank else {"definition_rank": rank, "varied_prompts": 0.0}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_kind(name: str, value: object, kind: type) -> None:
    fits = _is_number(value) if kind is float else type(value) is kind
    if not fits:
        raise ConfigurationError(
            f"{name}: {value!r} is of type {type(value).__name__}; give one of type {kind.__name__}"
        )


def _origins(settings: SftSettings, given: set[str], chosen: set[str]) -> list[SettingOrigin]:
    return [
        SettingOrigin(
            one.name,
            getattr(settings, one.name),
            "command line" if one.name in chosen else "file" if one.name in given else "default",
        )
        for one in fields(SftSettings)
        if one.name != "corpora"
    ]
