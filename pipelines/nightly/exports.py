"""The nightly CNKI job: whatever appears or changes in a drop folder or below a bucket prefix is applied, oldest first.

Files are known by their digest and never moved or changed. What `annotate` leaves of a folder is left here too, and so
are PubMed's and PMC's own files: their order is not that of a drop folder. Copies of one article in several exports are
all kept; which of them is shown is decided by `bioner_core.store.history.current`.
"""

import time
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bioner_core.errors import BionerError, InputError, listed_names
from bioner_core.formats.folder_inputs import FileLook, look_at, suffix_of
from bioner_core.formats.input_digests import file_digest
from bioner_core.store.history.ledger import AppliedFile
from pipelines.nightly.apply import (
    FileNotAppliedError,
    InputAnnotator,
    PendingFile,
    SyncContext,
    apply_file,
    discard_download,
    known_files,
)
from pipelines.nightly.report import RunLog, SyncReport
from pipelines.sync.download import COMPANION, PARTIAL_SUFFIX, local_copy
from pipelines.sync.listing import ListedFile, list_place
from pipelines.sync.retry import RetryPolicy
from pipelines.watch.progress import ProgressReporter

CNKI = "cnki"

_OTHER_SOURCES = ("pubmed", "pmc")
"""Whose files the nightly CNKI job never applies, by the partition of their reader."""

_NOT_EXPORTS = (COMPANION, PARTIAL_SUFFIX, ".tmp")


def files_without_entry(
    places: Sequence[str], entries: Sequence[AppliedFile], *, policy: RetryPolicy
) -> list[ListedFile]:
    """The files that may be new, oldest first: those of which the ledger has no entry with this name and this listing.

    Raises:
        InputError: a place cannot be listed.
    """
    known = {(entry.name, entry.stamp) for entry in entries}
    listed = [one for place in places for one in list_place(place, policy) if not one.name.endswith(_NOT_EXPORTS)]
    return sorted(
        (one for one in listed if (one.name, one.stamp) not in known or not one.stamp),
        key=lambda one: (one.modified, one.name),
    )


def likely_exports(listed: Sequence[ListedFile], entries: Sequence[AppliedFile]) -> list[ListedFile]:
    """Those that a night would apply, as far as that can be told without a download: remote files count.

    Raises:
        InputError: a file cannot be opened.
    """
    looks = {one.location: look_at(one.location) for one in listed if not one.remote}
    suffixes = _suffixes(entries) | {suffix_of(name) for name, found in looks.items() if _is_export(found)}
    return [one for one in listed if one.remote or _counts(looks[one.location], suffixes)]


def run_exports(
    places: Sequence[str],
    context: SyncContext,
    *,
    annotator: InputAnnotator,
    progress: ProgressReporter,
    max_reject_rate: float,
) -> SyncReport:
    """Apply every file whose content is new to the ledger; one that fails stops no other, and is tried again next time.

    The report is in the ledger when this returns.

    Raises:
        StoreError: the store cannot be read or written.
    """
    log = RunLog(context.run_id, "nightly cnki")
    try:
        entries, context = known_files(context, CNKI)
        run = _ExportsRun(context, annotator, log, entries)
        listed = files_without_entry(places, entries, policy=context.policy)
        progress.planned(len(listed))
        for one in listed:
            if (done := run.take(one)) is not None:
                progress.done(1, skipped=not done)
        for done in run.take_deferred():
            progress.done(1, skipped=not done)
        log.notes += run.notes()
    except BionerError as error:
        log.failures.append(str(error))
    return log.close(context.store, max_reject_rate=max_reject_rate)


class _ExportsRun:
    """One pass over the files that may be new. A file that no reader knows waits until it is clear what exports are
    named like here: one with their suffix is a broken export, and becomes a reject."""

    def __init__(
        self, context: SyncContext, annotator: InputAnnotator, log: RunLog, entries: Sequence[AppliedFile]
    ) -> None:
        self._context = context
        self._annotator = annotator
        self._log = log
        self._digests = {entry.sha256 for entry in entries}
        self._suffixes = _suffixes(entries)
        self._deferred: list[tuple[ListedFile, Path, FileLook]] = []
        self._unknown: list[str] = []
        self._of_others: list[str] = []

    def take(self, listed: ListedFile) -> bool | None:
        """Apply a file; whether its content was new and it did not fail, or None where it waits."""
        try:
            path = local_copy(listed, self._context.downloads, md5="", policy=self._context.policy)
            found = look_at(str(path))
        except InputError as error:
            self._log.failures.append(str(error))
            return False
        if found.source in _OTHER_SOURCES:
            self._of_others.append(listed.name)
            discard_download(listed, path, context=self._context)
            return False
        if not found.is_dump:
            self._deferred.append((listed, path, found))
            return None
        return self._apply(listed, path)

    def take_deferred(self) -> Iterator[bool]:
        """Apply those that waited and are named like exports; for each whether it was applied."""
        for listed, path, found in self._deferred:
            if found.counts_among(self._suffixes):
                yield self._apply(listed, path)
            else:
                self._unknown.append(listed.name)
                discard_download(listed, path, context=self._context)
                yield False

    def notes(self) -> list[str]:
        """What was left, in words."""
        unknown = f"left, since no reader knows them: {listed_names(self._unknown)}"
        others = (
            f"left, since they are PubMed's or PMC's own files and no exports: {listed_names(self._of_others)}. "
            "`bioner nightly pubmed`, `bioner backfill pmc` or `bioner annotate` takes them"
        )
        return [unknown] * bool(self._unknown) + [others] * bool(self._of_others)

    def _apply(self, listed: ListedFile, path: Path) -> bool:
        """Apply a file that is on this machine. The download of one that fails stays, and is looked at next time."""
        try:
            digest = file_digest(str(path))
            if digest in self._digests:
                discard_download(listed, path, context=self._context)
                return False
            self._log.planned += 1
            wanted = PendingFile(replace(listed, location=str(path)), (time.time_ns() // 1000,))
            entry = apply_file(wanted, kind=CNKI, md5="", context=self._context, annotator=self._annotator)
        except (InputError, FileNotAppliedError) as error:
            self._log.failures.append(str(error))
            return False
        self._digests.add(digest)
        self._suffixes.add(suffix_of(listed.name))
        self._log.applied.append(entry)
        discard_download(listed, path, context=self._context)  # `apply_file` was given the copy as a local file
        return True


def _is_export(found: FileLook) -> bool:
    return found.is_dump and found.source not in _OTHER_SOURCES


def _counts(found: FileLook, suffixes: Container[str]) -> bool:
    return found.source not in _OTHER_SOURCES and found.counts_among(suffixes)


def _suffixes(entries: Sequence[AppliedFile]) -> set[str]:
    return {suffix_of(entry.name) for entry in entries}
