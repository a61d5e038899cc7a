"""What a user asks for: which inputs, into which store, with which model and label sets."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from bioner_core.document_pass.settings import FinishSettings
from bioner_core.errors import ConfigurationError
from bioner_core.labels.label_set import LabelSetChoice
from bioner_core.store.layout import Store
from bioner_core.text.sentences import SPLITTER_VERSION

DEFAULT_SHARD_RECORDS = 1_000
"""The most records of a shard that is cut by work: 37 million citations in smaller shards would be too many files."""

DEFAULT_BUFFER_CHARACTERS = 100_000
"""About 700 English sentences: with fewer, sentences of like length are too few to fill batches without padding, and
actors wait for the next call more often; with more, progress shows more seldom. More actors need more."""

DEFAULT_BUFFER_RECORDS = 1_000
"""So that records with hardly any text show progress too."""

DEFAULT_MAX_REJECT_RATE = 0.05
"""Share of rejects above which a job says, by its exit code, that its input or its format is probably wrong."""

FN_API_RUNNER = "FnApiRunner"
"""Beam's in-process runner. `DirectRunner` would first try a Go binary that it downloads."""


@dataclass(frozen=True, slots=True)
class AnnotationJob:
    """One run of `bioner annotate`; travels to Beam workers, so it holds plain values only.

    `inputs` are files or URLs, patterns already expanded, and empty where files are named one by one (`FilesAhead`) or
    shards of the store are done again (`retry_shards`); `format_name` None means to sniff; `annotator_fingerprint`
    says what the annotator's answers depend on, `run_fingerprint` what the shards do; a shard of an input that is new
    to the store has `shard_records` records, or fewer that have about `shard_rows` rows (0: by records alone); one call
    to the service takes `buffer_characters` of text or `buffer_records` records, whichever comes first;
    `max_reject_rate` is the share of rejects above which the job ends with exit code 3; `pipeline_options` are passed
    to Beam as they are; with `carry_over` a document whose text the store has annotated before, in the same way, keeps
    its candidates; `finish` says how candidates become mentions.

    Raises:
        ConfigurationError: a value is out of its range; the message names the field.
    """

    inputs: tuple[str, ...]
    store: Store
    label_sets: tuple[LabelSetChoice, ...]
    annotator_fingerprint: str
    format_name: str | None = None
    shard_records: int = DEFAULT_SHARD_RECORDS
    shard_rows: float = 0.0
    buffer_characters: int = DEFAULT_BUFFER_CHARACTERS
    buffer_records: int = DEFAULT_BUFFER_RECORDS
    max_reject_rate: float = DEFAULT_MAX_REJECT_RATE
    runner: str = FN_API_RUNNER
    pipeline_options: tuple[str, ...] = ()
    carry_over: bool = False
    finish: FinishSettings = FinishSettings()  # noqa: RUF009  frozen

    def __post_init__(self) -> None:
        names = [choice.name for choice in self.label_sets]
        if not names or len(set(names)) < len(names):
            raise ConfigurationError(f"label_sets: is {names}; name at least one, and each only once")
        for name in ("shard_records", "buffer_characters", "buffer_records"):
            if getattr(self, name) < 1:
                raise ConfigurationError(f"{name}: is {getattr(self, name)}; use 1 or more")
        if self.shard_rows < 0:
            raise ConfigurationError(f"shard_rows: is {self.shard_rows}; use 0 or more")
        if not 0 <= self.max_reject_rate <= 1:
            raise ConfigurationError(f"max_reject_rate: is {self.max_reject_rate}; use a share from 0 to 1")

    @property
    def label_set_names(self) -> tuple[str, ...]:
        """The names of the label sets, in the order given."""
        return tuple(choice.name for choice in self.label_sets)

    @property
    def run_fingerprint(self) -> str:
        """As the function of this name."""
        return run_fingerprint(self.annotator_fingerprint, self.label_sets, finish=self.finish)

    @property
    def decode_fingerprint(self) -> str:
        """As the function of this name."""
        return decode_fingerprint(self.annotator_fingerprint, self.label_sets)


def run_fingerprint(annotator_fingerprint: str, label_sets: Sequence[LabelSetChoice], *, finish: FinishSettings) -> str:
    """Hex digest of all that results depend on beside the input: what they are decoded with, and how finished."""
    return _digest([decode_fingerprint(annotator_fingerprint, label_sets), finish.fingerprint])


def decode_fingerprint(annotator_fingerprint: str, label_sets: Sequence[LabelSetChoice]) -> str:
    """Hex digest of what the candidates depend on: model, label sets with their languages, splitter.

    The order of the label sets changes no result, so it does not count.
    """
    choices = sorted((choice.name, sorted(choice.languages)) for choice in label_sets)
    return _digest([annotator_fingerprint, choices, SPLITTER_VERSION])


def _digest(parts: list[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
