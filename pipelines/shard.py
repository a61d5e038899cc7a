"""One shard from records to commit: planned buffer by buffer, settled as the answers come, committed at its end."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bioner_core.document_pass.finish import finish_mentions
from bioner_core.documents import Document
from bioner_core.errors import StoreError
from bioner_core.formats.inputs import public_name
from bioner_core.inference.annotation import AnnotationRequest, RowResult
from bioner_core.inference.document_rows import AnnotatedDocument, PlannedDocument, plan_rows, settle_document
from bioner_core.mentions import Mention
from bioner_core.records import Deletion, Record, Reject
from bioner_core.store.layout import ShardDescriptor
from bioner_core.store.manifest import Counts, Manifest
from bioner_core.store.mention_ids import document_prefix
from bioner_core.store.rows import RejectRow
from bioner_core.store.shard_writer import ShardHeader, ShardWriter
from pipelines.carry_over import CarriedMentions, carried_mentions
from pipelines.job import AnnotationJob


@dataclass(frozen=True, slots=True)
class ShardResult:
    """A committed shard, and how many rejects it has of each reason."""

    manifest: Manifest
    reject_reasons: Counter[str]


@dataclass(frozen=True, slots=True)
class PlannedBuffer:
    """Some records of a shard in order, and the rows of those documents that need the model."""

    records: tuple[Record, ...]
    planned: tuple[PlannedDocument, ...]

    def requests(self) -> list[AnnotationRequest]:
        """What the model is asked: document by document, row by row."""
        return [row.request for one in self.planned for row in one.rows]


def header_of(descriptor: ShardDescriptor, job: AnnotationJob) -> ShardHeader:
    """What the manifest of a shard says of the job that makes it."""
    return ShardHeader(
        descriptor,
        public_name(descriptor.input_file),
        job.run_fingerprint,
        job.label_set_names,
        decode_fingerprint=job.decode_fingerprint,
        finish_fingerprint=job.finish.fingerprint,
    )


class OpenShard:
    """A shard at work. Buffers may be planned ahead, and are settled in the order of the records.

    Nothing touches the disk before `commit`; whatever is raised, the shard in the store is as it was before. `opened`
    is when work on it began, by the monotonic clock, if that is not now.

    Raises:
        StoreError: what was planned to be carried over cannot be read.
    """

    def __init__(self, descriptor: ShardDescriptor, job: AnnotationJob, *, opened: float | None = None) -> None:
        self._opened = time.monotonic() if opened is None else opened
        self._descriptor = descriptor
        self._job = job
        self._writer = ShardWriter(job.store, header_of(descriptor, job))
        self._carried = (
            carried_mentions(job.store, descriptor, decode=job.decode_fingerprint)
            if job.carry_over
            else CarriedMentions()
        )
        self._tally: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._named: set[str] = set()

    def plan(self, records: Sequence[Record]) -> PlannedBuffer:
        """Split the documents that need the model into rows; changes nothing here."""
        new = (one for one in records if isinstance(one, Document) and one not in self._carried)
        return PlannedBuffer(tuple(records), tuple(plan_rows(document, self._job.label_sets) for document in new))

    def settle(self, buffer: PlannedBuffer, results: Sequence[RowResult]) -> None:
        """Take in the answers to a buffer, index-aligned with its requests.

        Raises:
            StoreError: the answers are too few or too many, or a sentence does not lie where it says.
        """
        self._tally["records_in"] += len(buffer.records)
        self._add_deletions([record for record in buffer.records if isinstance(record, Deletion)])
        self._add_unreadable([record for record in buffer.records if isinstance(record, Reject)])
        self._add_carried([one for one in buffer.records if isinstance(one, Document) and one in self._carried])
        lost = [one.meta.lost_characters for one in buffer.records if isinstance(one, Document)]
        self._tally["lossy"] += sum(map(bool, lost))
        self._tally["lost_characters"] += sum(lost)
        self._add_answers(buffer.planned, results)

    def commit(self, *, not_before: float = 0.0) -> ShardResult:
        """Write the shard; its `seconds` count from when it was opened, or from `not_before` if that was later.

        Raises:
            StoreError: the counts do not add up, or the disk refuses.
        """
        seconds = time.monotonic() - max(self._opened, not_before)
        return ShardResult(self._writer.commit(Counts(**self._tally), seconds=seconds), self._reasons)

    def _add_deletions(self, deletions: Sequence[Deletion]) -> None:
        self._tally["deleted"] += len(deletions)
        self._writer.add_deletions(deletions)

    def _add_unreadable(self, rejects: Sequence[Reject]) -> None:
        digest = self._descriptor.input_digest
        rows = [
            RejectRow(replace(one, input_digest=one.input_digest or digest), self._descriptor.shard_id)
            for one in rejects
        ]
        self._tally["rejected"] += len(rows)
        self._tally["lost_bytes"] += sum(one.lost_bytes for one in rejects)
        self._tally["lost_records"] += sum(one.lost_records for one in rejects)
        self._add_rejects(rows)

    def _add_carried(self, documents: Sequence[Document]) -> None:
        self._tally["unchanged"] += len(documents)
        for document in documents:
            prefix = self._prefix(document)
            self._add_mentions(self._finished(document, self._carried.of(document, id_prefix=prefix), prefix))
        self._writer.add_documents(documents)

    def _add_answers(self, planned: Sequence[PlannedDocument], results: Sequence[RowResult]) -> None:
        rows = sum(len(one.rows) for one in planned)
        # Invariant: no row is lost or doubled. The pool promises it; it is counted again here, where rows become
        # records.
        if len(results) != rows:
            raise StoreError(
                f"shard {self._descriptor.shard_id}: rows are lost or doubled: the annotation service gave "
                f"{len(results)} results for {rows} requests"
            )
        self._tally["rows"] += rows
        self._tally["sentences"] += sum(one.sentences for one in planned)
        self._tally["not_sent"] += sum(not one.rows for one in planned)
        answers = iter(results)
        self._add_annotated([self._settle(one, [next(answers) for _ in one.rows]) for one in planned])

    def _settle(self, planned: PlannedDocument, results: Sequence[RowResult]) -> AnnotatedDocument:
        prefix = self._prefix(planned.document)
        settled = settle_document(planned, results, descriptor=self._descriptor, id_prefix=prefix)
        return replace(settled, mentions=self._finished(planned.document, settled.mentions, prefix))

    def _finished(self, document: Document, candidates: Sequence[Mention], prefix: str) -> tuple[Mention, ...]:
        job = self._job
        return finish_mentions(document, candidates, settings=job.finish, label_sets=job.label_sets, id_prefix=prefix)

    def _prefix(self, document: Document) -> str:
        plain = document_prefix(document.doc_id, document.version)
        if plain in self._named:
            record = document.meta.record_number
            return document_prefix(document.doc_id, document.version, repeat_of_record=record)
        self._named.add(plain)
        return plain

    def _add_annotated(self, annotated: Sequence[AnnotatedDocument]) -> None:
        kept = [one for one in annotated if not one.rejected]
        mentions = [mention for one in kept for mention in one.mentions]
        rejects = [row for one in annotated for row in one.rejects]
        self._tally["annotated"] += len(kept)
        self._tally["rejected"] += len(annotated) - len(kept)
        self._tally["row_rejects"] += sum(not row.whole_record for row in rejects)
        self._writer.add_documents([one.document for one in kept])
        self._add_mentions(mentions)
        self._add_rejects(rejects)

    def _add_mentions(self, mentions: Sequence[Mention]) -> None:
        self._tally["mentions"] += len(mentions)
        self._tally["mentions_accepted"] += sum(mention.accepted for mention in mentions)
        self._writer.add_mentions(mentions)

    def _add_rejects(self, rejects: Sequence[RejectRow]) -> None:
        self._reasons.update(row.reject.reason.value for row in rejects)
        self._writer.add_rejects(rejects)
