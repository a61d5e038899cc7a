"""One evaluation from gold records to scores: split, annotate, put back, compare. One decoding pass serves all."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bioner_core.annotation import AnnotationRequest, Annotator, RowError, RowResult
from bioner_core.batching import Batch, plan_batches
from bioner_core.documents import Sentence
from bioner_core.errors import AnnotatorOutOfMemoryError, ConfigurationError
from bioner_core.evaluation.assembly import record_sentences, spans_in_record
from bioner_core.evaluation.corpora import GoldRecord
from bioner_core.evaluation.report import Evaluation, evaluate
from bioner_core.evaluation.scoring import RecordSpans
from bioner_core.labels.label_set import LabelSet
from bioner_core.mentions import Candidate, Span

TOKEN_BUDGET = 2048
MAX_ROWS = 32


@dataclass(frozen=True, slots=True)
class EvaluationRun:
    """The scores of one run, what it read and how long annotating took.

    `without_selector` scores all candidates of the same pass, None when no selector had a say; `failed_sentences` had
    no result, and count as sentences without entities.
    """

    evaluation: Evaluation
    without_selector: Evaluation | None
    sentences: int
    failed_sentences: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """A JSON object with the scores at its top level."""
        other = {} if self.without_selector is None else {"without_selector": self.without_selector.to_json()}
        return {
            **self.evaluation.to_json(),
            "sentences": self.sentences,
            "failed_sentences": self.failed_sentences,
            "seconds": round(self.seconds, 3),
            "sentences_per_second": round(self.sentences / max(self.seconds, 1e-9), 3),
            **other,
        }


def scored_types(records: Sequence[GoldRecord], label_set: LabelSet, types: Sequence[str] = ()) -> frozenset[str]:
    """The types that count: those named, or all of the label set.

    Raises:
        ConfigurationError: a named type is not in the label set; or none is named, and the gold has one that is not.
    """
    if types:
        return frozenset(label_set.restricted_to(tuple(types)).type_names)
    foreign = {span.type for record in records for span in record.spans} - set(label_set.type_names)
    if foreign:
        raise ConfigurationError(
            f"data: its types {sorted(foreign)} are not in label set {label_set.name!r}; name the types that count "
            f"(of {list(label_set.type_names)}), or choose another label set"
        )
    return frozenset(label_set.type_names)


def evaluate_annotator(
    annotator: Annotator,
    records: Sequence[GoldRecord],
    *,
    label_set: str,
    types: frozenset[str],
    has_selector: bool,
    on_planned: Callable[[int], None] = lambda _: None,
    on_sentences: Callable[[int], None] = lambda _: None,
) -> EvaluationRun:
    """Annotate the records with all types of the label set, and score those of `types`, on both sides.

    `on_planned` hears how many sentences there are, `on_sentences` how many more were done, a batch at a time.

    Raises:
        AnnotatorOutOfMemoryError: a single sentence does not fit the device.
    """
    sentences = [record_sentences(record) for record in records]
    requests = [AnnotationRequest(one.text, label_set) for group in sentences for one in group]
    on_planned(len(requests))
    started = time.monotonic()
    results = _annotated(annotator, requests, on_sentences)
    seconds = time.monotonic() - started
    found = _per_record(sentences, results)

    def scored(accepted_only: bool) -> Evaluation:
        return evaluate(
            [
                RecordSpans(
                    _kept(record.spans, types), _kept(spans_in_record(group, one, accepted_only=accepted_only), types)
                )
                for record, group, one in zip(records, sentences, found, strict=True)
            ]
        )

    return EvaluationRun(
        evaluation=scored(True),
        without_selector=scored(False) if has_selector else None,
        sentences=len(requests),
        failed_sentences=sum(isinstance(result, RowError) for result in results),
        seconds=seconds,
    )


def _annotated(
    annotator: Annotator, requests: Sequence[AnnotationRequest], on_sentences: Callable[[int], None]
) -> list[RowResult]:
    results: list[RowResult] = [()] * len(requests)
    for batch in plan_batches(requests, token_budget=TOKEN_BUDGET, max_rows=MAX_ROWS):
        for index, result in zip(batch.indices, _batch_results(annotator, batch), strict=True):
            results[index] = result
        on_sentences(len(batch.indices))
    return results


def _batch_results(annotator: Annotator, batch: Batch) -> list[RowResult]:
    try:
        return annotator.annotate(batch.requests)
    except AnnotatorOutOfMemoryError:
        if len(batch.requests) == 1:
            raise
        return [result for half in batch.halves() for result in _batch_results(annotator, half)]


def _per_record(
    sentences: Sequence[Sequence[Sentence]], results: Sequence[RowResult]
) -> list[list[tuple[Candidate, ...]]]:
    answers = iter(results)
    return [[_candidates(next(answers)) for _ in group] for group in sentences]


def _candidates(result: RowResult) -> tuple[Candidate, ...]:
    return () if isinstance(result, RowError) else result


def _kept(spans: frozenset[Span], types: frozenset[str]) -> frozenset[Span]:
    return frozenset(span for span in spans if span.type in types)
