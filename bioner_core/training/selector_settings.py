"""Settings of selector training."""

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path

from bioner_core.errors import ConfigurationError, cause_of
from bioner_core.typed_json import typed


@dataclass(frozen=True, slots=True)
class EarlierStage:
    """A stage of fine-tuning before the last: its settings file, and how many batches it trained on."""

    sft_settings: str
    batches: int


@dataclass(frozen=True, slots=True)
class OtherText:
    """Text of one corpus under the label set of another, which the model knows: only `types` are judged there.

    `new_names` gives the corpus's types the label set's names. Nothing is trained on it: calibration and thresholds
    see how sure the model is of known types in text that it met under another label set.
    """

    file: str
    label_set: str
    types: tuple[str, ...]
    new_names: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SelectorSettings:
    """What the selector is trained and calibrated on.

    `sft_settings` is the file that the model was fine-tuned with, `earlier` the stages before that: their batches are
    replayed to find the sentences that the model has never seen. `open_biases` are tried on the development sentences,
    and each label set keeps the one nearest to 0 whose F1 is near the best (`worthwhile_bias` in
    `selector_candidates.py`): the selector then sees what such a model tags. `development`
    names the development file of each label set; a label set without one uses the held-out tail of its training file,
    or, where that tail is unlike the rest, sentences of the whole file that no stage came to (`calibrate_on_unseen`),
    which are then not trained on. With `train_on_held_out` the selector is trained on the held-out end of each corpus,
    for a model that has seen all the rest. With `new_words` so many held-out sentences of each corpus are decoded under
    definitions that no training reads, as many again to calibrate on, and types that the model was not trained for
    have a calibration and a threshold of their own; `other_text` names what known types are calibrated on besides.
    Counts are sentences per corpus.
    """

    sft_settings: str
    development: dict[str, str]
    rendered: int = 500
    decoded: int = 300
    earlier: tuple[EarlierStage, ...] = ()
    open_biases: tuple[float, ...] = (0.0,)
    calibrate_on_unseen: tuple[str, ...] = ()
    train_on_held_out: bool = False
    new_words: int = 0
    other_text: tuple[OtherText, ...] = ()
    calibration: int = 400
    epochs: int = 12
    batch_spans: int = 256
    batch_rows: int = 16
    learning_rate: float = 5e-4
    weight_decay: float = 0.3
    dropout: float = 0.4
    seed: int = 13
    threads: int = 0

    def __post_init__(self) -> None:
        for name in ("rendered", "calibration", "epochs", "batch_spans", "batch_rows", "learning_rate"):
            if getattr(self, name) <= 0:
                raise ConfigurationError(f"{name}: {getattr(self, name)}; give a number above 0")
        if not 0 <= self.dropout < 1 or self.weight_decay < 0:
            raise ConfigurationError(
                f"dropout, weight_decay: {self.dropout}, {self.weight_decay}; give a share below 1, and a number from 0"
            )
        if self.new_words < 0:
            raise ConfigurationError(f"new_words: {self.new_words}; give a number of sentences, or 0 for none")
        if not self.open_biases:
            raise ConfigurationError("open_biases: empty; name at least one bias to try, such as 0.0")
        twice = sorted(set(self.calibrate_on_unseen) & set(self.development))
        if twice:
            raise ConfigurationError(f"calibrate_on_unseen: {twice} have a file in [development] too; name one of both")


def read_selector_settings(path: Path) -> SelectorSettings:
    """Read a TOML file of selector settings.

    Raises:
        ConfigurationError: the file is missing or not TOML, or a field is unknown or of the wrong type.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"selector settings {path}: {cause_of(error)}") from error
    try:
        return typed(SelectorSettings, given)
    except ValueError as error:
        known = sorted(field.name for field in fields(SelectorSettings))
        raise ConfigurationError(f"selector settings {path}: {error}; known fields: {known}") from error
