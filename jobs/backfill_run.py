"""The work behind `bioner backfill`: this machine's part of the files."""

import re
from collections.abc import Sequence

from bioner_core.errors import ConfigurationError
from bioner_core.store.history.ledger import applied_files
from bioner_core.store.history.lock import Part
from bioner_core.store.history.succession import PUBMED
from jobs.annotation_run import AnnotationSession
from jobs.console import say
from jobs.file_progress import FileProgress
from jobs.sync_options import SyncOptions
from jobs.sync_run import run_sync
from pipelines.nightly.apply import PendingFile, Workplace
from pipelines.nightly.backfill import PMC, of_part, pmc_files, pubmed_files, run_backfill
from pipelines.nightly.pubmed import ReleaseSource
from pipelines.nightly.report import SyncReport


def parse_part(text: str) -> Part:
    """Read `K/N`.

    Raises:
        ConfigurationError: it does not read so, or K is not one of 1 to N.
    """
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if found is None:
        raise ConfigurationError(f"shard: is {text!r}; use K/N, such as 1/8")
    return Part(int(found.group(1)), int(found.group(2)))


def backfill_pubmed(source: ReleaseSource, part: Part, options: SyncOptions) -> SyncReport:
    """Apply this part of PubMed's release files.

    Raises:
        BionerError: an option is unusable, a place cannot be listed, or the store cannot be had.
    """

    def work(place: Workplace, session: AnnotationSession) -> SyncReport:
        entries = applied_files(place.store, PUBMED)
        files, gap = pubmed_files(source, entries, place.patience, fingerprint=session.run_fingerprint)
        mine = _mine(files, part, options)
        return run_backfill(
            PUBMED,
            mine,
            place,
            session,
            needs_md5=source.needs_md5,
            progress=FileProgress(quiet=options.run.quiet),
            max_reject_rate=options.run.max_reject_rate,
            gap=gap,
        )

    return run_sync(options, work, purpose=_purpose("pubmed", part), part=part)


def backfill_pmc(places: Sequence[str], part: Part, options: SyncOptions) -> SyncReport:
    """Apply this part of a PMC folder.

    Raises:
        BionerError: as `backfill_pubmed`.
    """

    def work(place: Workplace, session: AnnotationSession) -> SyncReport:
        entries = applied_files(place.store, PMC)
        files = pmc_files(places, entries, place.patience, fingerprint=session.run_fingerprint)
        return run_backfill(
            PMC,
            _mine(files, part, options),
            place,
            session,
            needs_md5=False,
            progress=FileProgress(quiet=options.run.quiet),
            max_reject_rate=options.run.max_reject_rate,
        )

    return run_sync(options, work, purpose=_purpose("pmc", part), part=part)


def _mine(files: Sequence[PendingFile], part: Part, options: SyncOptions) -> list[PendingFile]:
    mine = of_part(files, part)
    if not options.run.quiet:
        say(f"{len(files)} files are to be done in all, {len(mine)} of them in part {part.number}/{part.of}")
    return mine


def _purpose(kind: str, part: Part) -> str:
    return f"bioner backfill {kind}" if part.whole else f"bioner backfill {kind} --shard {part.number}/{part.of}"
