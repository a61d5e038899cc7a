"""One evaluation from gold records to scores: split, annotate, put back, compare. One decoding pass serves all."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bioner_core.documents import Sentence
from bioner_core.errors import ConfigurationError, ModelError
from bioner_core.evaluation.corpora import GoldRecord, record_sentences, spans_in_record
from bioner_core.evaluation.examples import Example, pick_examples
from bioner_core.evaluation.finished import are_documents, finished_rows
from bioner_core.evaluation.mistakes import MistakeKind, mistakes
from bioner_core.evaluation.reliability import Reliability, ScoredCandidate, reliability
from bioner_core.evaluation.report import Evaluation, evaluate
from bioner_core.evaluation.scoring import RecordSpans, Score, UnitRuler, score
from bioner_core.inference.annotation import AnnotationRequest, Annotator, RowError, RowResult
from bioner_core.inference.row_isolation import annotate_in_batches
from bioner_core.labels.label_set import LabelSet
from bioner_core.mentions import Candidate, Span


@dataclass(frozen=True, slots=True)
class EvaluationRun:
    """The scores of one run, what it read and how long annotating took.

    `without_selector` scores all candidates of the same pass, None when no selector had a say, and `by_tag_score` those
    whose tag score alone is high enough, None where nobody knows what is; `failed_sentences` had
    no result, and count as sentences without entities. `examples` are some of the mistakes that `evaluation` counts.
    `without_document_pass` scores what the sentences alone gave, None where the pass did not run, and
    `document_pass_seconds` is what it took.
    """

    evaluation: Evaluation
    without_selector: Evaluation | None
    by_tag_score: Score | None
    reliability: Reliability
    examples: Mapping[MistakeKind, tuple[Example, ...]]
    sentences: int
    failed_sentences: int
    seconds: float
    without_document_pass: Score | None = None
    document_pass_seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """A JSON object with the scores at its top level; no text of the corpus is in it."""
        other: dict[str, Any] = {}
        if self.without_selector is not None:
            other["without_selector"] = self.without_selector.to_json()
        if self.without_document_pass is not None:
            other["without_document_pass"] = asdict(self.without_document_pass)
            other["document_pass_seconds"] = round(self.document_pass_seconds, 3)
        if self.by_tag_score is not None:
            other["by_tag_score"] = asdict(self.by_tag_score)
        return {
            **self.evaluation.to_json(),
            "sentences": self.sentences,
            "failed_sentences": self.failed_sentences,
            "document_pass": self.without_document_pass is not None,
            "reliability": self.reliability.to_json(),
            "seconds": round(self.seconds, 3),
            "sentences_per_second": round(self.sentences / max(self.seconds, 1e-9), 3),
            **other,
        }

    def examples_json(self) -> dict[str, list[dict[str, Any]]]:
        """The examples by kind of mistake, with the sentences of the corpus that they stand in."""
        return {str(kind): [one.to_json() for one in chosen] for kind, chosen in self.examples.items()}


def scored_types(records: Sequence[GoldRecord], label_set: LabelSet, *, types: Sequence[str] = ()) -> frozenset[str]:
    """The types that count: those named, or all of the label set.

    Raises:
        ConfigurationError: a named type is not in the label set, or the gold marks none of those named; or none is
            named, and the gold has one that is not in the label set.
    """
    marked = {span.type for record in records for span in record.spans}
    if types:
        named = frozenset(label_set.restricted_to(tuple(types)).type_names)
        if marked and not marked & named:
            raise ConfigurationError(
                f"types: the data marks none of {sorted(named)}, but {sorted(marked)}; say which are the same, "
                "as in --map SpecificDisease=Disease"
            )
        return named
    foreign = marked - set(label_set.type_names)
    if foreign:
        raise ConfigurationError(
            f"data: its types {sorted(foreign)} are not in label set {label_set.name!r}; say which of "
            f"{list(label_set.type_names)} they are (--map old=new), name the types that count (--types), "
            "or choose another label set"
        )
    return frozenset(label_set.type_names)


def evaluate_annotator(
    annotator: Annotator,
    records: Sequence[GoldRecord],
    *,
    label_set: str,
    types: frozenset[str],
    has_selector: bool,
    tag_threshold: float | None = None,
    document_pass: bool | None = False,
    examples: int = 0,
    on_planned: Callable[[int], None] = lambda _: None,
    on_sentences: Callable[[int], None] = lambda _: None,
) -> EvaluationRun:
    """Annotate the records with all types of the label set, and score those of `types`, on both sides.

    `tag_threshold` is the tag score from which `by_tag_score` accepts. With `document_pass` the records are finished as
    documents are, with None if some record has several sentences. `examples` bounds the examples of each kind of
    mistake. `on_planned` hears how many sentences there are, `on_sentences` how many more were done, a batch at a time.

    Raises:
        ModelError: no sentence at all could be annotated; the message has the first one's traceback.
    """
    sentences = [record_sentences(record) for record in records]
    requests = [AnnotationRequest(one.text, label_set) for group in sentences for one in group]
    on_planned(len(requests))
    started = time.monotonic()
    results = annotate_in_batches(annotator, requests, on_rows=on_sentences)
    _check_some_worked(results)
    seconds = time.monotonic() - started
    gold = [GoldRecord(one.record_id, one.lang, one.text, _kept(one.spans, types)) for one in records]
    answers = _per_record(sentences, results)
    found = _of_types(answers, types)
    rulers = [UnitRuler(record.text) for record in records]
    accepted = _sides(gold, sentences, found, lambda one: one.accepted)
    without_document_pass, started = None, time.monotonic()
    if are_documents(sentences) if document_pass is None else document_pass:
        without_document_pass = score(accepted)
        finished = [
            finished_rows(record, cut, rows=rows, label_set=label_set)
            for record, cut, rows in zip(records, sentences, answers, strict=True)
        ]
        accepted = _sides(gold, sentences, _of_types(finished, types), lambda one: one.accepted)
    document_pass_seconds = time.monotonic() - started
    every = _sides(gold, sentences, found, lambda _: True)
    by_tag_score = None
    if tag_threshold is not None:
        by_tag_score = score(_sides(gold, sentences, found, lambda one: one.tag_score >= tag_threshold))
    return EvaluationRun(
        evaluation=evaluate(accepted, rulers),
        without_selector=evaluate(every, rulers) if has_selector else None,
        by_tag_score=by_tag_score,
        reliability=reliability(_scored(gold, sentences, found), has_selector=has_selector),
        examples=pick_examples(gold, sentences, found=list(map(mistakes, accepted, rulers)), limit=examples),
        sentences=len(requests),
        failed_sentences=sum(isinstance(result, RowError) for result in results),
        seconds=seconds,
        without_document_pass=without_document_pass,
        document_pass_seconds=document_pass_seconds,
    )


def _check_some_worked(results: Sequence[RowResult]) -> None:
    failures = [result for result in results if isinstance(result, RowError)]
    if failures and len(failures) == len(results):
        first = failures[0]
        raise ModelError(
            f"none of {len(failures)} sentences could be annotated; the first: {first.message}\n{first.traceback}"
        )


def _per_record(
    sentences: Sequence[Sequence[Sentence]], results: Sequence[RowResult]
) -> list[list[tuple[Candidate, ...]]]:
    answers = iter(results)
    return [[_candidates(next(answers)) for _ in group] for group in sentences]


def _candidates(result: RowResult) -> tuple[Candidate, ...]:
    return () if isinstance(result, RowError) else result


def _sides(
    gold: Sequence[GoldRecord],
    sentences: Sequence[Sequence[Sentence]],
    found: Sequence[Sequence[Sequence[Candidate]]],
    keep: Callable[[Candidate], bool],
) -> list[RecordSpans]:
    return [
        RecordSpans(record.spans, spans_in_record(group, [tuple(filter(keep, row)) for row in rows]))
        for record, group, rows in zip(gold, sentences, found, strict=True)
    ]


def _scored(
    gold: Sequence[GoldRecord],
    sentences: Sequence[Sequence[Sentence]],
    found: Sequence[Sequence[Sequence[Candidate]]],
) -> list[ScoredCandidate]:
    """Every candidate's scores, and whether it is gold."""
    return [
        ScoredCandidate(
            one.tag_score,
            one.selector_score,
            Span(sentence.start + one.start, sentence.start + one.end, one.type) in record.spans,
        )
        for record, group, rows in zip(gold, sentences, found, strict=True)
        for sentence, row in zip(group, rows, strict=True)
        for one in row
    ]


def _kept(spans: frozenset[Span], types: frozenset[str]) -> frozenset[Span]:
    return frozenset(span for span in spans if span.type in types)


def _of_types(
    answers: Sequence[Sequence[tuple[Candidate, ...]]], types: frozenset[str]
) -> list[list[tuple[Candidate, ...]]]:
    return [[tuple(one for one in row if one.type in types) for row in group] for group in answers]
