"""One document: which rows it sends to the model, and what their answers make of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bioner_core.documents import Document, Sentence
from bioner_core.inference.annotation import AnnotationRequest, RowError, RowResult
from bioner_core.inference.placement import candidate_fault, place_candidates
from bioner_core.labels.label_set import LabelSetChoice
from bioner_core.mentions import Mention
from bioner_core.records import Reject, RejectReason, storable
from bioner_core.store.layout import ShardDescriptor
from bioner_core.store.rows import RejectRow
from bioner_core.text.sentences import split_passage

ANNOTATE_STAGE = "annotate"
"""`Reject.stage` of everything that the model could not annotate."""


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """One sentence to be annotated with one label set."""

    sentence: Sentence
    label_set: str

    @property
    def request(self) -> AnnotationRequest:
        """What the model is asked."""
        return AnnotationRequest(self.sentence.text, self.label_set)


@dataclass(frozen=True, slots=True)
class PlannedDocument:
    """A document, how many sentences it has, and its rows in order: passage, sentence, label set."""

    document: Document
    sentences: int
    rows: tuple[PlannedRow, ...]


@dataclass(frozen=True, slots=True)
class AnnotatedDocument:
    """What became of a document.

    It is rejected as a whole only if it has rows and none of them could be annotated; then it has no mentions, and one
    reject row for the record beside those of its sentences.
    """

    document: Document
    rejected: bool
    mentions: tuple[Mention, ...]
    rejects: tuple[RejectRow, ...]


def plan_rows(document: Document, label_sets: Sequence[LabelSetChoice]) -> PlannedDocument:
    """Split a document and pair each sentence with the label sets that are for its language."""
    sentences = [
        sentence for index, passage in enumerate(document.passages) for sentence in split_passage(passage, index)
    ]
    rows = [
        PlannedRow(sentence, choice.name)
        for sentence in sentences
        for choice in label_sets
        if choice.fits(sentence.lang)
    ]
    return PlannedDocument(document, len(sentences), tuple(rows))


def settle_document(
    planned: PlannedDocument, results: Sequence[RowResult], *, descriptor: ShardDescriptor, id_prefix: str
) -> AnnotatedDocument:
    """Make mentions and rejects of the answers to a document's rows, which are index-aligned with `planned.rows`.

    Raises:
        StoreError: a sentence does not lie where it says in its passage.
    """
    mentions: list[Mention] = []
    failures: list[tuple[PlannedRow, RowError]] = []
    for row, result in zip(planned.rows, map(_checked, planned.rows, results), strict=True):
        if isinstance(result, RowError):
            failures.append((row, result))
        else:
            mentions += place_candidates(
                planned.document, row.sentence, candidates=result, label_set=row.label_set, id_prefix=id_prefix
            )
    # Invariant: a document is in the store or rejected, never both: it counts as annotated as soon as one of its rows
    # has an answer, and the rows that failed are row rejects beside it.
    rejected = bool(failures) and len(failures) == len(planned.rows)
    rejects = tuple(_reject_rows(planned.document, failures, whole=rejected, descriptor=descriptor))
    return AnnotatedDocument(planned.document, rejected, tuple(mentions), rejects)


def _checked(row: PlannedRow, result: RowResult) -> RowResult:
    if isinstance(result, RowError):
        return result
    fault = candidate_fault(result, row.sentence.text)
    return RowError(RejectReason.ANNOTATION_FAILED, fault) if fault else result


def _reject_rows(
    document: Document, failures: Sequence[tuple[PlannedRow, RowError]], *, whole: bool, descriptor: ShardDescriptor
) -> Iterator[RejectRow]:
    if whole:
        first = failures[0][1]
        message = f"none of its {len(failures)} rows could be annotated; the first: {first.message}"
        yield RejectRow(_reject(document, first, message, digest=descriptor.input_digest), descriptor.shard_id)
    for row, error in failures:
        yield RejectRow(
            _reject(document, error, error.message, digest=descriptor.input_digest),
            descriptor.shard_id,
            label_set=row.label_set,
            passage_index=row.sentence.passage_index,
            sentence_index=row.sentence.index,
        )


def _reject(document: Document, error: RowError, message: str, *, digest: str) -> Reject:
    return Reject(
        doc_id=document.doc_id,
        source=document.source,
        input_file=document.meta.input_file,
        record_number=document.meta.record_number,
        stage=ANNOTATE_STAGE,
        reason=error.reason,
        message=storable(message),
        attempts=error.attempts,
        input_digest=digest,
        traceback=storable(error.traceback),
    )
