"""Settings of selector training."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from bioner_core.errors import ConfigurationError, cause_of
from bioner_core.labels.label_set import load_label_set
from bioner_core.training.settings import CorpusMix
from bioner_core.typed_json import typed


@dataclass(frozen=True, slots=True)
class EarlierStage:
    """A stage of fine-tuning before the last: its settings file, and how many batches it trained on.

    `held_out_texts_left_out`: it left what a corpus holds out out of every corpus. Its card says so (`held_out_texts`);
    stages from before that rule did not, and are replayed as they were.
    """

    sft_settings: str
    batches: int
    held_out_texts_left_out: bool = False


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
        if self.train_on_held_out and self.calibrate_on_unseen:
            raise ConfigurationError(
                f"calibrate_on_unseen: {list(self.calibrate_on_unseen)} with train_on_held_out = true, for which no "
                "sentence counts as unseen; name a file in [development] for these label sets, or set "
                "train_on_held_out = false"
            )

    def check_corpora(self, corpora: Sequence[CorpusMix]) -> None:
        """Whether the settings fit the corpora of the model: before anything is decoded.

        Raises:
            ConfigurationError: a label set is none of theirs, or has no such type; or a corpus has nothing to
                calibrate or to train on that was not trained on.
        """
        known = sorted({one.label_set for one in corpora})
        for name, given in (("development", self.development), ("calibrate_on_unseen", self.calibrate_on_unseen)):
            foreign = sorted(set(given) - set(known))
            if foreign:
                raise ConfigurationError(
                    f"{name}: {foreign} are not label sets of the corpora in sft_settings {self.sft_settings!r}; "
                    f"choose from {known}"
                )
        for other in self.other_text:
            load_label_set(other.label_set).restricted_to(other.types)
        for place, corpus in enumerate(corpora):
            self._check_corpus(corpus, has_file=bool(self.development_file(corpora, place=place)))

    def development_file(self, corpora: Sequence[CorpusMix], *, place: int) -> str:
        """The development file that belongs to the corpus in this place; empty where there is none.

        A label set has one file. Of its corpora that in the file's folder has it, else one that marks all of the label
        set, else the first by its folder's name: not the first in the settings, which may stand there in any order.
        """
        label_set = corpora[place].label_set
        file = self.development.get(label_set, "")

        def rank(one: CorpusMix) -> tuple[bool, bool, str, str]:
            return folder_name(one.file) != folder_name(file), bool(one.types), folder_name(one.file), one.file

        owner = min((one for one in corpora if one.label_set == label_set), key=rank)
        return file if owner is corpora[place] else ""

    def _check_corpus(self, corpus: CorpusMix, *, has_file: bool) -> None:
        if corpus.held_out:
            return
        if self.train_on_held_out:
            raise ConfigurationError(
                f"train_on_held_out: true, but held_out is 0 for {corpus.file!r} in {self.sft_settings!r}; set it to "
                "false, or give sft_settings whose corpora hold records out, as the model was trained with"
            )
        if not has_file and corpus.label_set not in self.calibrate_on_unseen:
            raise ConfigurationError(
                f"development: no file for {corpus.file!r} (label set {corpus.label_set!r}), whose held_out is 0 in "
                f"{self.sft_settings!r}: all its records may be trained on; name a file there, or the label set in "
                "calibrate_on_unseen"
            )


def folder_name(file: str) -> str:
    """What tells corpora apart: the name of the folder that a file lies in."""
    return Path(file).parent.name


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
