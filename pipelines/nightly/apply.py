"""Applying one input file: annotate it whole, then enter it in the ledger; or leave the ledger as it is."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bioner_core.errors import EXIT_FAILED, BionerError
from bioner_core.formats.input_digests import file_digest
from bioner_core.spoken import spoken_count
from bioner_core.store.atomic import remove_stale
from bioner_core.store.history.document_index import refresh_index
from bioner_core.store.history.ledger import AppliedFile, record_applied, utc_now
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store, input_key
from bioner_core.store.reading import manifests_of_input
from pipelines.carry_over import discard_carry_over
from pipelines.summary import JobSummary
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
    wanted: PendingFile, *, kind: str, md5: str, context: SyncContext, annotator: InputAnnotator
) -> AppliedFile:
    """Fetch a file, check it, annotate it, enter it. Doing so again after a fault goes on where it broke off.

    Raises:
        InputError: the file cannot be had, or has not the digest that its companion states; nothing of it was applied.
        FileNotAppliedError: shards of it failed.
        StoreError: the disk refuses, or the lock was lost.
    """
    started = time.monotonic()
    path = fetch_file(wanted, md5=md5, context=context)
    summary = annotator.annotate(str(path))
    file = FetchedFile(wanted, path, md5)
    seconds = time.monotonic() - started
    return enter_file(file, summary, kind=kind, context=context, fingerprint=annotator.run_fingerprint, seconds=seconds)


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A listed file that is on this machine, under this path; `md5` is what its companion states, empty without one."""

    wanted: PendingFile
    path: Path
    md5: str


def fetch_file(wanted: PendingFile, *, md5: str, context: SyncContext) -> Path:
    """The full path of a file, which is downloaded if need be: tables keep it, and a later `retry` may be called in
    another working folder.

    Raises:
        InputError: the file cannot be had, or has not the digest that its companion states.
        StoreError: the disk refuses, or the lock was lost.
    """
    path = local_copy(wanted.listed, context.downloads, md5=md5, policy=context.policy)
    context.lock.check()
    return path.absolute()


def enter_file(
    file: FetchedFile, summary: JobSummary, *, kind: str, context: SyncContext, fingerprint: str, seconds: float
) -> AppliedFile:
    """Enter a file whose shards have ended into the ledger; `seconds` are what it took.

    Raises:
        FileNotAppliedError: shards of it failed: it is not entered.
        StoreError: the disk refuses, or the lock was lost.
    """
    if summary.exit_code() == EXIT_FAILED:
        raise FileNotAppliedError(
            f"{file.wanted.listed.name}: {spoken_count(summary.shards_failed, 'shard')} failed, "
            f"{summary.shards_committed} committed; the first: {summary.failures[0].message}"
        )
    entry = _entry(file, summary, kind=kind, context=context, fingerprint=fingerprint, seconds=seconds)
    refresh_index(context.store, entry.input_key, manifests=manifests_of_input(context.store, entry.input_key))
    context.lock.check()
    record_applied(context.store, entry)
    discard_carry_over(context.store, entry.input_key)
    discard_download(file.wanted.listed, file.path, context=context)
    return entry


def discard_download(listed: ListedFile, path: Path, *, context: SyncContext) -> None:
    """Remove a download that is needed no more, unless downloads are kept; a file of a local place always stays.

    Raises:
        StoreError: it cannot be removed.
    """
    if listed.remote and not context.keep_downloads:
        remove_stale(path)


def _entry(
    file: FetchedFile, summary: JobSummary, *, kind: str, context: SyncContext, fingerprint: str, seconds: float
) -> AppliedFile:
    wanted, digest = file.wanted, file_digest(str(file.path))
    return AppliedFile(
        kind=kind,
        name=wanted.listed.name,
        order=wanted.order,
        input_key=input_key(file.path.name, digest),
        bytes=file.path.stat().st_size,
        md5=file.md5,
        sha256=digest,
        stamp=wanted.listed.stamp,
        fingerprint=fingerprint,
        run_id=context.run_id,
        applied=utc_now(),
        seconds=round(seconds, 3),
        rows_sent=summary.rows_sent,
        counts=summary.counts,
    )
