"""Backfills: every file of a place, in any order, by as many machines as there are, each with its part of the files.

Which part a file belongs to follows from its name alone, so that machines need to agree on nothing but the number of
parts; and which record is the newest follows from the ledger, so that the order of the work does not matter.
"""

import hashlib
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import chain
from typing import Protocol

from bioner_core.errors import BionerError, InputError
from bioner_core.store.history.ledger import AppliedFile
from bioner_core.store.history.lock import Part
from pipelines.feeders.file_end import FileEnd, Wanted
from pipelines.nightly.apply import (
    FetchedFile,
    FileNotAppliedError,
    PendingFile,
    SyncContext,
    enter_file,
    fetch_file,
)
from pipelines.nightly.pubmed import ReleaseSource, companion_md5, planned_releases
from pipelines.nightly.report import RunLog, SyncReport
from pipelines.summary import JobSummary
from pipelines.sync.download import COMPANION
from pipelines.sync.listing import ListedFile, list_place
from pipelines.sync.retry import RetryPolicy
from pipelines.watch.progress import ProgressReporter

PMC = "pmc"

PMC_SUFFIXES = (".tar.gz", ".tgz", ".xml", ".nxml", ".xml.gz", ".nxml.gz")
"""What of a PMC folder is articles, and not a list of files."""


def pubmed_files(
    source: ReleaseSource, entries: Sequence[AppliedFile], *, policy: RetryPolicy, fingerprint: str
) -> tuple[list[PendingFile], str]:
    """All release files that this model has not been applied to, and what is missing in words.

    Raises:
        InputError: as `planned_releases`.
    """
    plan = planned_releases(source, entries, policy=policy, fingerprint=fingerprint)
    return list(plan.pending), plan.gap_message


def pmc_files(
    places: Sequence[str], entries: Sequence[AppliedFile], *, policy: RetryPolicy, fingerprint: str
) -> list[PendingFile]:
    """All articles and packages that this model has not been applied to; a new listing of an old name counts as new.

    Raises:
        InputError: a place cannot be listed, or holds no article.
    """
    listed = sorted(chain.from_iterable(list_place(place, policy) for place in places), key=lambda one: one.name)
    companions = {one.name: one for one in listed if one.name.endswith(COMPANION)}
    articles = [one for one in listed if one.name.endswith(PMC_SUFFIXES)]
    if not articles:
        raise InputError(f"{', '.join(places)}: holds no file that ends in {', '.join(PMC_SUFFIXES)}")
    known = {(entry.name, entry.stamp) for entry in entries if entry.fingerprint == fingerprint}
    return [
        PendingFile(one, (), companions.get(one.name + COMPANION))
        for one in articles
        if (one.name, one.stamp) not in known
    ]


def of_part(files: Sequence[PendingFile], part: Part) -> list[PendingFile]:
    """The files of one part, in their order."""
    return [one for one in files if _part_key(one.listed, one.order) % part.of == part.number - 1]


class FilesAnnotator(Protocol):
    """Whoever has a model, and annotates file after file without a pause between two."""

    @property
    def run_fingerprint(self) -> str:
        """`AnnotationJob.run_fingerprint` of what it does."""
        ...

    def annotate_files(
        self, wanted: Iterable[Wanted], locate: Callable[[Wanted], str]
    ) -> Generator[tuple[FileEnd[Wanted], JobSummary], None, None]:
        """As `FilesAhead.run`, and what was done for each file as a job of its own.

        Raises:
            BionerError: as that, or because the model cannot be started.
        """
        ...


def run_backfill(
    kind: str,
    files: Sequence[PendingFile],
    *,
    context: SyncContext,
    annotator: FilesAnnotator,
    needs_md5: bool,
    progress: ProgressReporter,
    max_reject_rate: float,
    gap: str = "",
) -> SyncReport:
    """Apply the files: the next ones are fetched and planned while others are annotated; they are entered in order.

    One that fails stops no other; a fault of the store or of the model stops the run. `gap` is a fault of the listing,
    reported at the end. The report is in the ledger when this returns.

    Raises:
        StoreError: the run cannot be entered.
    """
    log = RunLog(context.run_id, f"backfill {kind}", planned=len(files))
    progress.planned(len(files))
    fetched: dict[PendingFile, FetchedFile] = {}

    def locate(wanted: PendingFile) -> str:
        fetched[wanted] = _fetched(wanted, context, needs_md5=needs_md5)
        return str(fetched[wanted].path)

    try:
        if files:
            with closing(annotator.annotate_files(files, locate)) as ends:
                for end, summary in ends:
                    file = fetched.pop(end.wanted, None)
                    _enter(file, end, summary, log, kind=kind, context=context, fingerprint=annotator.run_fingerprint)
                    progress.done(1, skipped=False)
    except BionerError as error:
        log.failures.append(str(error))
    log.failures += [gap] if gap else []
    return log.close(context.store, max_reject_rate=max_reject_rate)


def _fetched(wanted: PendingFile, context: SyncContext, *, needs_md5: bool) -> FetchedFile:
    md5 = companion_md5(wanted, needed=needs_md5, policy=context.policy)
    ordered = replace(wanted, order=wanted.order or (time.time_ns() // 1000,))
    return fetch_file(ordered, md5=md5, context=context)


def _enter(
    file: FetchedFile | None,
    end: FileEnd[PendingFile],
    summary: JobSummary,
    log: RunLog,
    *,
    kind: str,
    context: SyncContext,
    fingerprint: str,
) -> None:
    try:
        if end.error is not None:
            raise end.error
        if file is not None:
            entered = enter_file(
                file, summary, kind=kind, context=context, fingerprint=fingerprint, seconds=end.seconds
            )
            log.applied.append(entered)
    except (InputError, FileNotAppliedError) as error:
        log.failures.append(str(error))


def _part_key(listed: ListedFile, order: tuple[int, ...]) -> int:
    """A release's number, which spreads evenly; a digest of any other name."""
    return order[-1] if order else int.from_bytes(hashlib.sha256(listed.name.encode()).digest()[:8])
