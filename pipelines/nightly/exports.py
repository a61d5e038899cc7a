"""The CNKI night: whatever appears or changes in a drop folder or below a bucket prefix is applied, oldest first.

Files are known by their digest and never moved or changed. Copies of one article in several exports are all kept; which
of them is shown is decided by `bioner_core.store.history.current`: the one that was applied last.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

from bioner_core.errors import BionerError, InputError
from bioner_core.store.history.ledger import AppliedFile, applied_files
from pipelines.nightly.apply import FileNotAppliedError, InputAnnotator, PendingFile, SyncContext, apply_file
from pipelines.nightly.report import RunLog, SyncReport
from pipelines.shard_input import file_digest
from pipelines.sync.checksums import COMPANION
from pipelines.sync.download import PARTIAL_SUFFIX, local_copy
from pipelines.sync.listing import ListedFile, list_place
from pipelines.sync.retry import RetryPolicy
from pipelines.watch.progress import ProgressReporter

CNKI = "cnki"

_NOT_EXPORTS = (COMPANION, PARTIAL_SUFFIX, ".tmp")


def look(places: Sequence[str], entries: Sequence[AppliedFile], policy: RetryPolicy) -> list[ListedFile]:
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


def run_exports(
    places: Sequence[str],
    place: SyncContext,
    annotator: InputAnnotator,
    *,
    progress: ProgressReporter,
    max_reject_rate: float,
) -> SyncReport:
    """Apply every file whose content is new to the ledger; one that fails stops no other, and is tried again next time.

    The report is in the ledger when this returns.

    Raises:
        StoreError: the store cannot be read or written.
    """
    log = RunLog(place.run_id, "nightly cnki")
    try:
        entries = applied_files(place.store, CNKI)
        listed = look(places, entries, place.policy)
        progress.planned(len(listed))
        digests = {entry.sha256 for entry in entries}
        for one in listed:
            entry = _applied(one, digests, log, place, annotator)
            progress.done(1, skipped=entry is None)
    except BionerError as error:
        log.failures.append(str(error))
    return log.close(place.store, max_reject_rate=max_reject_rate)


def _applied(
    listed: ListedFile, digests: set[str], log: RunLog, place: SyncContext, annotator: InputAnnotator
) -> AppliedFile | None:
    """The entry of a file if its content is new, None if it is not or the file fails."""
    try:
        path = local_copy(listed, place.downloads, md5="", policy=place.policy)
        digest = file_digest(str(path))
        if digest in digests:
            return None
        log.planned += 1
        here = replace(listed, location=str(path))
        order = (time.time_ns() // 1000,)
        entry = apply_file(PendingFile(here, order), kind=CNKI, md5="", place=place, annotator=annotator)
    except (InputError, FileNotAppliedError) as error:
        log.failures.append(str(error))
        return None
    digests.add(digest)
    log.applied.append(entry)
    return entry
