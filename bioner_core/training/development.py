"""Development F1 by real decoding: a bounded number of sentences of each label set, whatever is being trained."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bioner_core.evaluation.corpora import GoldRecord, read_corpus, record_sentences
from bioner_core.evaluation.run import EvaluationRun, evaluate_annotator, scored_types
from bioner_core.inference.annotation import Annotator
from bioner_core.inference.annotator import ModelAnnotator
from bioner_core.labels.label_set import LabelSet
from bioner_core.models.attention import GROUPED_ATTENTION
from bioner_core.models.loading import LoadedModel
from bioner_core.models.model_card import ModelCard
from bioner_core.training.corpora import corpus_label_set
from bioner_core.training.held_out import split_records
from bioner_core.training.settings import SftSettings
from bioner_core.training.trainable import TrainableModel


@dataclass(frozen=True, slots=True)
class DevelopmentSet:
    """Gold records that are never trained on, and the types that they mark: of a label set all, or some."""

    label_set: LabelSet
    records: tuple[GoldRecord, ...]


def development_sets(settings: SftSettings) -> list[DevelopmentSet]:
    """For each label set of the mix its first development records: as few as hold `evaluate_sentences`.

    A label set that has neither a file in `development` nor held-out records has no set here. Held-out records of
    corpora that mark only some types of it are a set of their own, asked about these types: whatever else is found
    there is unknown, not wrong.

    Raises:
        InputError: a file cannot be read or is no gold corpus.
    """
    found = []
    for records, label_set in _sources(settings):
        first = _first_records(records, settings.evaluate_sentences)
        if first:
            found.append(DevelopmentSet(label_set, first))
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


def _sources(settings: SftSettings) -> Iterator[tuple[Iterator[GoldRecord], LabelSet]]:
    """The development records of each label set or part of one, and what they are to be asked about."""
    for name in dict.fromkeys(one.label_set for one in settings.corpora):
        corpora = [one for one in settings.corpora if one.label_set == name]
        if name in settings.development:
            # One file for the label set: it is taken to mark what the corpora together mark.
            every = tuple(dict.fromkeys(marked for one in corpora for marked in one.types))
            types = every if all(one.types for one in corpora) else ()
            records = read_corpus(Path(settings.development[name]))
            yield _of_types(records, types), corpus_label_set(replace(corpora[0], types=types))
            continue
        for types in dict.fromkeys(one.types for one in corpora):
            alike = [one for one in corpora if one.types == types and one.held_out]
            if alike:
                records = (record for one in alike for record in split_records(one)[1])
                yield _of_types(records, types), corpus_label_set(alike[0])


def _of_types(records: Iterable[GoldRecord], types: Sequence[str]) -> Iterator[GoldRecord]:
    """The records with their spans of these types alone; with none named, as they are."""
    for one in records:
        yield replace(one, spans=frozenset(span for span in one.spans if span.type in types)) if types else one


def _first_records(records: Iterator[GoldRecord], sentences: int) -> tuple[GoldRecord, ...]:
    chosen: list[GoldRecord] = []
    count = 0
    for record in records:
        if count >= sentences:
            break
        chosen.append(record)
        count += len(record_sentences(record))
    return tuple(chosen)
