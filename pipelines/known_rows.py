"""What a committed shard holds answers for itself: only the rows that it has no answer for are sent to the model."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from bioner_core.document_pass.finish import decoder_candidates
from bioner_core.documents import Sentence
from bioner_core.inference.annotation import AnnotationRequest, RowError, RowResult
from bioner_core.inference.document_rows import plan_rows
from bioner_core.labels.label_set import LabelSetChoice
from bioner_core.mentions import Candidate, Mention
from bioner_core.records import Reject, RejectReason
from bioner_core.store.document_mentions import shard_documents
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Manifest
from bioner_core.store.reading import shard_batches
from bioner_core.store.rows import rejects_from_arrow
from pipelines.pool.service import AnnotationService

_Place = tuple[int, int, str]
"""Passage, sentence and label set of a row."""


class KnownRows:
    """A service that answers from `known`, and asks another service for the rest; `rows_asked` counts that."""

    def __init__(self, known: Mapping[AnnotationRequest, RowResult], service: AnnotationService) -> None:
        self._known = known
        self._service = service
        self.rows_asked = 0

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """As `AnnotationService.annotate`; where the other service loses or doubles rows, so does this one.

        Raises:
            PoolError: as the other service.
        """
        unknown = [request for request in requests if request not in self._known]
        self.rows_asked += len(unknown)
        results = self._service.annotate(unknown) if unknown else []
        if len(results) != len(unknown):
            return results  # too few or too many for whoever settles them, who says so
        answers = iter(results)
        return [self._known[one] if one in self._known else next(answers) for one in requests]


def known_rows(
    store: Store, manifest: Manifest, *, label_sets: Sequence[LabelSetChoice], without: Collection[RejectReason]
) -> dict[AnnotationRequest, RowResult]:
    """The answers that a shard holds, by request: candidates, and errors of other reasons than those of `without`.

    The label sets are those that the shard was annotated with. Rows of documents that were rejected whole are left
    out, since the store does not hold their texts. Memory is that of one shard.

    Raises:
        StoreError: a file of the shard is not what was committed, or cannot be read.
    """
    errors = _row_errors(store, manifest)
    found: dict[AnnotationRequest, RowResult] = {}
    wanted: set[AnnotationRequest] = set()
    for one in shard_documents(store, manifest):
        mentions = _by_row(decoder_candidates(one.mentions))
        for row in plan_rows(one.document, label_sets).rows:
            place = (row.sentence.passage_index, row.sentence.index, row.label_set)
            reject = errors.get((one.document.meta.record_number, *place))
            if reject is None:
                found[row.request] = tuple(_candidate(mention, row.sentence) for mention in mentions[place])
            elif reject.reason in without:
                wanted.add(row.request)
            else:
                error = RowError(reject.reason, reject.message, reject.traceback, reject.attempts)
                found.setdefault(row.request, error)
    return {request: answer for request, answer in found.items() if not _is_open(request, answer, wanted)}


def _is_open(request: AnnotationRequest, answer: RowResult, wanted: set[AnnotationRequest]) -> bool:
    """One text may have failed in two places for two reasons, of which one is to be tried again."""
    return isinstance(answer, RowError) and request in wanted


def _row_errors(store: Store, manifest: Manifest) -> dict[tuple[int, int, int, str], Reject]:
    rows = (row for batch in shard_batches(store, manifest, table="rejects") for row in rejects_from_arrow(batch))
    return {
        (row.reject.record_number, row.passage_index or 0, row.sentence_index or 0, row.label_set or ""): row.reject
        for row in rows
        if not row.whole_record
    }


def _by_row(mentions: Sequence[Mention]) -> defaultdict[_Place, list[Mention]]:
    found: defaultdict[_Place, list[Mention]] = defaultdict(list)
    for one in mentions:
        found[one.passage_index, one.sentence_index, one.label_set].append(one)
    return found


def _candidate(mention: Mention, sentence: Sentence) -> Candidate:
    return Candidate(
        start=mention.start - sentence.start,
        end=mention.end - sentence.start,
        type=mention.type,
        tag_score=mention.tag_score,
        selector_score=mention.selector_score,
        accepted=mention.accepted,
    )
