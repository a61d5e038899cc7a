"""One shard from records to commit: the work that Beam hands to a worker in one piece."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from bioner_core.annotation import RowResult
from bioner_core.documents import Document
from bioner_core.errors import StoreError
from bioner_core.formats.inputs import public_name
from bioner_core.mentions import Mention
from bioner_core.records import Deletion, Record, Reject
from bioner_core.store.layout import ShardDescriptor
from bioner_core.store.manifest import Counts, Manifest
from bioner_core.store.mention_ids import document_prefix
from bioner_core.store.rows import RejectRow
from bioner_core.store.shard_writer import ShardHeader, ShardWriter
from pipelines.carry_over import CarriedMentions, carried_mentions
from pipelines.document_rows import AnnotatedDocument, PlannedDocument, plan_rows, settle_document
from pipelines.job import AnnotationJob
from pipelines.service import AnnotationService


@dataclass(frozen=True, slots=True)
class ShardResult:
    """A committed shard, and how many rejects it has of each reason."""

    manifest: Manifest
    reject_reasons: Counter[str]


def annotate_shard(
    descriptor: ShardDescriptor,
    records: Iterable[Record],
    *,
    job: AnnotationJob,
    service: AnnotationService,
    on_records: Callable[[int], None],
) -> ShardResult:
    """Annotate the records of a shard and commit it; `on_records` hears how many were done, a buffer at a time.

    Raises:
        InputError: `records` finds that the input has changed.
        PoolError: no annotator can be reached any more.
        StoreError: the service lost or doubled rows, counts do not add up, or the disk refuses.
            Whatever is raised, the shard is as it was before.
    """
    started = time.monotonic()
    header = ShardHeader(descriptor, public_name(descriptor.input_file), job.run_fingerprint, job.label_set_names)
    carried = carried_mentions(job.store, descriptor) if job.carry_over else CarriedMentions()
    work = _ShardWork(descriptor, job, service, ShardWriter(job.store, header), carried)
    for buffer in _buffers(records, job):
        work.add(buffer)
        on_records(len(buffer))
    manifest = work.writer.commit(Counts(**work.tally), seconds=time.monotonic() - started)
    return ShardResult(manifest, work.reasons)


@dataclass(slots=True)
class _ShardWork:
    descriptor: ShardDescriptor
    job: AnnotationJob
    service: AnnotationService
    writer: ShardWriter
    carried: CarriedMentions
    tally: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    named: set[str] = field(default_factory=set)

    def add(self, buffer: Sequence[Record]) -> None:
        self.tally["records_in"] += len(buffer)
        self._add_deletions([record for record in buffer if isinstance(record, Deletion)])
        self._add_unreadable([record for record in buffer if isinstance(record, Reject)])
        self._add_documents([record for record in buffer if isinstance(record, Document)])

    def _add_deletions(self, deletions: Sequence[Deletion]) -> None:
        self.tally["deleted"] += len(deletions)
        self.writer.add_deletions(deletions)

    def _add_unreadable(self, rejects: Sequence[Reject]) -> None:
        digest = self.descriptor.input_digest
        rows = [
            RejectRow(replace(one, input_digest=one.input_digest or digest), self.descriptor.shard_id)
            for one in rejects
        ]
        self.tally["rejected"] += len(rows)
        self._add_rejects(rows)

    def _add_documents(self, documents: Sequence[Document]) -> None:
        new = [document for document in documents if not self._carries_over(document)]
        planned = [plan_rows(document, self.job.label_sets) for document in new]
        answers = iter(self._ask(planned))
        annotated = [self._settle(one, [next(answers) for _ in one.rows]) for one in planned]
        self.tally["sentences"] += sum(one.sentences for one in planned)
        self._add_annotated(annotated)

    def _carries_over(self, document: Document) -> bool:
        if document not in self.carried:
            return False
        self.tally["unchanged"] += 1
        self._add_mentions(self.carried.of(document, id_prefix=self._prefix(document)))
        self.writer.add_documents([document])
        return True

    def _ask(self, planned: Sequence[PlannedDocument]) -> list[RowResult]:
        requests = [row.request for one in planned for row in one.rows]
        results = self.service.annotate(requests) if requests else []
        if len(results) != len(requests):
            raise StoreError(
                f"shard {self.descriptor.shard_id}: rows are lost or doubled: the annotation service gave "
                f"{len(results)} results for {len(requests)} requests"
            )
        self.tally["rows"] += len(requests)
        return results

    def _settle(self, planned: PlannedDocument, results: Sequence[RowResult]) -> AnnotatedDocument:
        prefix = self._prefix(planned.document)
        return settle_document(planned, results, descriptor=self.descriptor, id_prefix=prefix)

    def _prefix(self, document: Document) -> str:
        plain = document_prefix(document.doc_id, document.version)
        if plain in self.named:
            record = document.meta.record_number
            return document_prefix(document.doc_id, document.version, repeat_of_record=record)
        self.named.add(plain)
        return plain

    def _add_annotated(self, annotated: Sequence[AnnotatedDocument]) -> None:
        kept = [one for one in annotated if not one.rejected]
        mentions = [mention for one in kept for mention in one.mentions]
        rejects = [row for one in annotated for row in one.rejects]
        self.tally["annotated"] += len(kept)
        self.tally["rejected"] += len(annotated) - len(kept)
        self.tally["row_rejects"] += sum(not row.whole_record for row in rejects)
        self.writer.add_documents([one.document for one in kept])
        self._add_mentions(mentions)
        self._add_rejects(rejects)

    def _add_mentions(self, mentions: Sequence[Mention]) -> None:
        self.tally["mentions"] += len(mentions)
        self.tally["mentions_accepted"] += sum(mention.accepted for mention in mentions)
        self.writer.add_mentions(mentions)

    def _add_rejects(self, rejects: Sequence[RejectRow]) -> None:
        self.reasons.update(row.reject.reason.value for row in rejects)
        self.writer.add_rejects(rejects)


def _buffers(records: Iterable[Record], job: AnnotationJob) -> Iterator[list[Record]]:
    buffer: list[Record] = []
    characters = 0
    for record in records:
        buffer.append(record)
        if isinstance(record, Document):
            characters += sum(len(passage.text) for passage in record.passages)
        if len(buffer) >= job.buffer_records or characters >= job.buffer_characters:
            yield buffer
            buffer, characters = [], 0
    if buffer:
        yield buffer
