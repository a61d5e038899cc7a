"""Applying one input file: annotate it whole, then enter it in the ledger; or leave the ledger as it is."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bioner_core.errors import BionerError
from bioner_core.store.history.document_index import refresh_index
from bioner_core.store.history.ledger import AppliedFile, record_applied, utc_now
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store, input_key
from bioner_core.store.reading import manifests_of_input
from pipelines.carry_over import discard_carry_over
from pipelines.shard_input import file_digest
from pipelines.summary import EXIT_FAILED, JobSummary
from pipelines.sync.download import local_copy
from pipelines.sync.listing import ListedFile
from pipelines.sync.retry import RetryPolicy


class FileNotAppliedError(BionerError):
    """Shards of a file failed: those that succeeded are kept, but the file is not in the ledger."""


class InputAnnotator(Protocol):
    """Whoever has a model: commits all shards of one input."""

    @property
    def run_fingerprint(self) -> str:
        """`AnnotationJob.run_fingerprint` of what it does."""
        ...

    def annotate(self, input_file: str) -> JobSummary:
        """Annotate a local file, carrying over what the store has annotated before.

        Raises:
            BionerError: as `run_annotation`, or because the model cannot be started.
        """
        ...


@dataclass(frozen=True, slots=True)
class PendingFile:
    """A listed file that is to be applied; `changed` if the ledger has it already, with other content or model."""

    listed: ListedFile
    order: tuple[int, ...]
    companion: ListedFile | None = None
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncContext:
    """What every step of a run needs: the store and its lock, where downloads go and whether they stay there."""

    store: Store
    downloads: Path
    lock: StoreLock
    run_id: str
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    keep_downloads: bool = True


def apply_file(
    wanted: PendingFile, *, kind: str, md5: str, place: SyncContext, annotator: InputAnnotator
) -> AppliedFile:
    """Fetch a file, check it, annotate it, enter it. Doing so again after a fault goes on where it broke off.

    Raises:
        InputError: the file cannot be had, or has not the digest that its companion states; nothing of it was applied.
        FileNotAppliedError: shards of it failed.
        StoreError: the disk refuses, or the lock was lost.
    """
    started = time.monotonic()
    path = local_copy(wanted.listed, place.downloads, md5=md5, policy=place.policy)
    place.lock.check()
    # By its full path: tables keep it, and a later `retry` may be called in another working folder.
    summary = annotator.annotate(str(path.absolute()))
    if summary.exit_code() == EXIT_FAILED:
        raise FileNotAppliedError(
            f"{wanted.listed.name}: {summary.shards_failed} shards failed, {summary.shards_committed} were committed; "
            f"the first: {summary.failures[0].message}"
        )
    entry = _entry(wanted, path, summary, kind=kind, md5=md5, place=place, annotator=annotator, started=started)
    refresh_index(place.store, entry.input_key, manifests_of_input(place.store, entry.input_key))
    place.lock.check()
    record_applied(place.store, entry)
    discard_carry_over(place.store, entry.input_key)
    if wanted.listed.remote and not place.keep_downloads:
        path.unlink(missing_ok=True)
    return entry


def _entry(
    wanted: PendingFile,
    path: Path,
    summary: JobSummary,
    *,
    kind: str,
    md5: str,
    place: SyncContext,
    annotator: InputAnnotator,
    started: float,
) -> AppliedFile:
    digest = file_digest(str(path))
    return AppliedFile(
        kind=kind,
        name=wanted.listed.name,
        order=wanted.order,
        input_key=input_key(path.name, digest),
        bytes=path.stat().st_size,
        md5=md5,
        sha256=digest,
        stamp=wanted.listed.stamp,
        fingerprint=annotator.run_fingerprint,
        run_id=place.run_id,
        applied=utc_now(),
        seconds=round(time.monotonic() - started, 3),
        rows_sent=summary.rows_sent,
        counts=summary.counts,
    )
