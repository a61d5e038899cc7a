"""Applying one input file: annotate it whole, then enter it in the ledger; or leave the ledger as it is."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from bioner_core.errors import EXIT_FAILED, BionerError
from bioner_core.formats.input_digests import file_digest
from bioner_core.spoken import spoken_count
from bioner_core.store.atomic import remove_stale
from bioner_core.store.history.document_index import refresh_index
from bioner_core.store.history.ledger import AppliedFile, applied_files, record_applied, utc_now
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store, input_key
from bioner_core.store.manifest import Manifest
from bioner_core.store.paths import StorePath
from pipelines.carry_over import discard_carry_over
from pipelines.plan_record import manifests_of_plan
from pipelines.summary import JobSummary
from pipelines.sync.download import local_copy
from pipelines.sync.listing import ListedFile
from pipelines.sync.retry import RetryPolicy


class FileNotAppliedError(BionerError):
    """Shards of a file failed, or it changed meanwhile: what is committed stays, but the file is not in the ledger."""


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
    """What every step of a run needs: the store and its lock, where downloads go and whether they stay there.

    `damaged_entries` are the files of the ledger that cannot be read; they go when what they said is entered anew.
    """

    store: Store
    downloads: Path
    lock: StoreLock
    run_id: str
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    keep_downloads: bool = True
    damaged_entries: tuple[StorePath, ...] = ()


def known_files(context: SyncContext, kind: str) -> tuple[list[AppliedFile], SyncContext]:
    """What the ledger says was applied, and the context of a run that knows which entries are damaged.

    A file whose entry is damaged counts as new: its shards are there, and it is entered once more.

    Raises:
        StoreError: a newer bioner wrote an entry.
    """
    damaged: list[StorePath] = []
    entries = applied_files(context.store, kind, on_damaged=lambda error: damaged.append(error.path))
    return entries, replace(context, damaged_entries=tuple(damaged))


def apply_file(
    wanted: PendingFile, *, kind: str, md5: str, context: SyncContext, annotator: InputAnnotator
) -> AppliedFile:
    """Fetch a file, check it, annotate it, enter it. Doing so again after a fault goes on where it broke off.

    Raises:
        InputError: the file cannot be had, or has not the digest that its companion states; nothing of it was applied.
        FileNotAppliedError: shards of it failed, or it changed while it was annotated.
        StoreError: the disk refuses, or the lock was lost.
    """
    started = time.monotonic()
    file = fetch_file(wanted, md5=md5, context=context)
    summary = annotator.annotate(str(file.path))
    seconds = time.monotonic() - started
    return enter_file(file, summary, kind=kind, context=context, fingerprint=annotator.run_fingerprint, seconds=seconds)


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A listed file that is on this machine; `md5` is what its companion states, empty without one.

    `path` is a full one: tables keep it, and a later `retry` may be called in another working folder. `sha256` and
    `bytes` are those of the file as it was found, before it was planned.
    """

    wanted: PendingFile
    path: Path
    md5: str
    sha256: str
    bytes: int

    @property
    def input_key(self) -> str:
        """What its plan and its shards are called by."""
        return input_key(self.path.name, self.sha256)


def fetch_file(wanted: PendingFile, *, md5: str, context: SyncContext) -> FetchedFile:
    """A file, downloaded if need be.

    Raises:
        InputError: the file cannot be had, or has not the digest that its companion states.
        StoreError: the disk refuses, or the lock was lost.
    """
    path = local_copy(wanted.listed, context.downloads, md5=md5, policy=context.policy)
    context.lock.check()
    digest = file_digest(str(path.absolute()))
    return FetchedFile(wanted, path.absolute(), md5, digest, path.stat().st_size)


def enter_file(
    file: FetchedFile, summary: JobSummary, *, kind: str, context: SyncContext, fingerprint: str, seconds: float
) -> AppliedFile:
    """Enter a file whose shards have ended into the ledger; `seconds` are what it took.

    Raises:
        FileNotAppliedError: shards of it failed, or it changed while it was annotated: it is not entered.
        InputError: it cannot be read any more.
        StoreError: the disk refuses, or the lock was lost.
    """
    if summary.exit_code() == EXIT_FAILED:
        raise FileNotAppliedError(
            f"{file.wanted.listed.name}: {spoken_count(summary.shards_failed, 'shard')} failed, "
            f"{summary.shards_committed} committed; the first: {summary.failures[0].message}"
        )
    entry = _entry(file, summary, kind=kind, context=context, fingerprint=fingerprint, seconds=seconds)
    refresh_index(context.store, entry.input_key, manifests=_committed(file, summary, context.store))
    context.lock.check()
    record_applied(context.store, entry, damaged=context.damaged_entries)
    discard_carry_over(context.store, entry.input_key)
    discard_download(file.wanted.listed, file.path, context=context)
    return entry


def _committed(file: FetchedFile, summary: JobSummary, store: Store) -> list[Manifest]:
    """The shards of a file that has ended.

    Raises:
        FileNotAppliedError: they are not those of the file as it was found and is now.
    """
    manifests = manifests_of_plan(store, file.input_key)
    # Invariant: what the ledger names is committed, whole. Somebody may still write a file of a drop folder while the
    # model works: then other content was planned, or what was planned is not all of it.
    records = sum(one.counts.records_in for one in manifests)
    if file_digest(str(file.path)) != file.sha256 or records != summary.counts.records_in:
        raise FileNotAppliedError(
            f"{file.wanted.listed.name}: changed while it was annotated, so it does not count as applied. The next run "
            "applies it as it is then"
        )
    return manifests


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
    wanted = file.wanted
    return AppliedFile(
        kind=kind,
        name=wanted.listed.name,
        order=wanted.order,
        input_key=file.input_key,
        bytes=file.bytes,
        md5=file.md5,
        sha256=file.sha256,
        stamp=wanted.listed.stamp,
        fingerprint=fingerprint,
        run_id=context.run_id,
        applied=utc_now(),
        seconds=round(seconds, 3),
        rows_sent=summary.rows_sent,
        counts=summary.counts,
    )
