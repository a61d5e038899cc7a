"""Development F1 by real decoding: a bounded number of sentences of each label set, whatever is being trained."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioner_core.evaluation.corpora import GoldRecord, read_corpus, record_sentences
from bioner_core.evaluation.run import EvaluationRun, evaluate_annotator, scored_types
from bioner_core.inference.annotation import Annotator
from bioner_core.inference.annotator import ModelAnnotator
from bioner_core.labels.label_set import LabelSet, load_label_set
from bioner_core.models.attention import GROUPED_ATTENTION
from bioner_core.models.loading import LoadedModel
from bioner_core.models.model_card import ModelCard
from bioner_core.training.settings import SftSettings
from bioner_core.training.trainable import TrainableModel


@dataclass(frozen=True, slots=True)
class DevelopmentSet:
    """Gold records of one label set that are never trained on."""

    label_set: LabelSet
    records: tuple[GoldRecord, ...]


def development_sets(settings: SftSettings) -> list[DevelopmentSet]:
    """For each label set of the mix its first development records: as few as hold `evaluate_sentences`.

    A label set that has neither a file in `development` nor held-out records has no set here.

    Raises:
        InputError: a file cannot be read or is no gold corpus.
    """
    found = []
    for name in dict.fromkeys(corpus.label_set for corpus in settings.corpora):
        records = _first_records(_development_records(name, settings), settings.evaluate_sentences)
        if records:
            found.append(DevelopmentSet(load_label_set(name), records))
    return found


def evaluate_sets(annotator: Annotator, sets: Sequence[DevelopmentSet]) -> dict[str, EvaluationRun]:
    """Decode and score each set, by the name of its label set; every candidate counts."""
    return {
        one.label_set.name: evaluate_annotator(
            annotator,
            one.records,
            label_set=one.label_set.name,
            types=scored_types(one.records, one.label_set),
            has_selector=False,
        )
        for one in sets
    }


def development_f1(trainable: TrainableModel, sets: Sequence[DevelopmentSet], *, card: ModelCard) -> dict[str, float]:
    """Strict F1 of the model as it is now, adapters beside the base, by the name of each set's label set."""
    loaded = LoadedModel(card, trainable.vocabulary, trainable.model)
    with _decoding_attention(trainable.model.backbone):
        annotator = ModelAnnotator(loaded, [one.label_set for one in sets], fingerprint="in training")
        runs = evaluate_sets(annotator, sets)
    return {name: run.evaluation.strict.f1 for name, run in runs.items()}


def mean_f1(by_label_set: Mapping[str, float]) -> float:
    """The mean over label sets, so that a small one counts as much as a big one."""
    return sum(by_label_set.values()) / len(by_label_set)


@contextmanager
def _decoding_attention(backbone: Any) -> Iterator[None]:
    """Decoders lay the rows of a batch out in a way of their own, which needs attention that knows it."""
    before = backbone.config._attn_implementation
    backbone.set_attn_implementation(GROUPED_ATTENTION)
    try:
        yield
    finally:
        backbone.set_attn_implementation(before)


def _development_records(label_set: str, settings: SftSettings) -> Iterator[GoldRecord]:
    if label_set in settings.development:
        yield from read_corpus(Path(settings.development[label_set]))
        return
    for corpus in settings.corpora:
        if corpus.label_set == label_set and corpus.held_out:
            yield from list(read_corpus(Path(corpus.file)))[-corpus.held_out :]


def _first_records(records: Iterator[GoldRecord], sentences: int) -> tuple[GoldRecord, ...]:
    chosen: list[GoldRecord] = []
    count = 0
    for record in records:
        if count >= sentences:
            break
        chosen.append(record)
        count += len(record_sentences(record))
    return tuple(chosen)
