"""Settings of supervised fine-tuning: typed, validated at the door, each with where it came from."""

import tomllib
from dataclasses import MISSING, dataclass, fields
from pathlib import Path

from bioner_core.errors import ConfigurationError
from bioner_core.tagging.scheme import TagScheme

_ABOVE_ZERO = (
    "max_tokens",
    "max_minutes",
    "batch_tokens",
    "learning_rate",
    "lora_rank",
    "lora_alpha",
    "gradient_clip",
    "checkpoint_steps",
)


@dataclass(frozen=True, slots=True)
class CorpusMix:
    """One corpus in the mix: its JSONL file, its label set, and its share of the training batches.

    The last `held_out` records are never trained on: they are the development set of a corpus that has none.
    """

    file: str
    label_set: str
    weight: float
    held_out: int = 0

    def __post_init__(self) -> None:
        if not _is_number(self.weight) or self.weight <= 0:
            raise ConfigurationError(f"corpora.weight: {self.weight!r} for {self.file!r}; give a number above 0")
        if type(self.held_out) is not int or self.held_out < 0:
            raise ConfigurationError(f"corpora.held_out: {self.held_out!r} for {self.file!r}; give a count from 0")


@dataclass(frozen=True, slots=True)
class SftSettings:
    """Hyper-parameters of fine-tuning; tokens count source, separator and copy, not the shared prompt."""

    corpora: tuple[CorpusMix, ...]
    base: str = "smollm2-135m-instruct"
    scheme: TagScheme = TagScheme.INLINE
    max_tokens: int = 2_000_000
    max_minutes: float = 90.0
    batch_tokens: int = 1_600
    learning_rate: float = 1e-3
    added_rows_rate: float = 1.0
    move_rows_rate: float = 3.0
    warmup_share: float = 0.02
    final_rate: float = 0.02
    lora_rank: int = 32
    lora_alpha: int = 64
    gradient_clip: float = 1.0
    rare_character: int = 5
    seed: int = 13
    threads: int = 0
    checkpoint_steps: int = 100

    def __post_init__(self) -> None:
        if not self.corpora:
            raise ConfigurationError("corpora: empty; name at least one [[corpora]] with file, label_set and weight")
        for one in fields(self):
            if one.default is not MISSING:
                _check_kind(one.name, getattr(self, one.name), type(one.default))
        for name in _ABOVE_ZERO:
            if getattr(self, name) <= 0:
                raise ConfigurationError(f"{name}: {getattr(self, name)}; give a number above 0")
        for name in ("warmup_share", "final_rate"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigurationError(f"{name}: {getattr(self, name)}; give a share from 0 to below 1")


@dataclass(frozen=True, slots=True)
class SettingOrigin:
    """One hyper-parameter as used, and whether it is the default, from the file, or from the command line."""

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
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"training settings {path}: {error}") from error
    chosen = {name: value for name, value in (overrides or {}).items() if value is not None}
    known = {field.name for field in fields(SftSettings)}
    for name in sorted({*given, *chosen} - known):
        raise ConfigurationError(f"training settings {path}: unknown field {name!r}; known: {sorted(known)}")
    merged = {**given, **chosen}
    try:
        corpora = tuple(CorpusMix(**one) for one in merged.pop("corpora", []))
        scheme = TagScheme(merged.pop("scheme", TagScheme.INLINE))
        settings = SftSettings(corpora=corpora, scheme=scheme, **merged)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"training settings {path}: {error}") from error
    return settings, _origins(settings, set(given), set(chosen))


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
            field.name,
            getattr(settings, field.name),
            "command line" if field.name in chosen else "file" if field.name in given else "default",
        )
        for field in fields(SftSettings)
        if field.name != "corpora"
    ]
