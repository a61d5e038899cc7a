"""`bioner nightly pubmed|cnki`: bring a store up to date with what has appeared."""

from typing import TYPE_CHECKING

import typer

from jobs.console import only_results_on_stdout
from jobs.sync_options import (
    AllowShrink,
    FirstNumber,
    KeepSnapshots,
    NoSnapshot,
    Places,
    RequiredPlaces,
    SnapshotMemory,
    SyncOptions,
    WithoutMd5,
    takes_sync_options,
)
from jobs.sync_report import report

if TYPE_CHECKING:
    from bioner_core.store.compaction.compact import CompactionSettings
    from jobs.annotation_run import AnnotationSession
    from pipelines.nightly.apply import Workplace
    from pipelines.nightly.report import SyncReport

app = typer.Typer(help="Bring a store up to date with what has appeared.", rich_markup_mode=None)

PUBMED_HELP = """
Apply PubMed's release files that are new, in their order. Lists the places, downloads (going on where it broke off),
checks each .md5, annotates what is new, takes over what is unchanged, applies deletions; a new year's baseline replaces
everything before. Then the snapshot that analysts read is made. Run again the same night, it does nothing.

\b
Examples:
  bioner nightly pubmed --store my-store --dry-run
  bioner nightly pubmed --store my-store --wait 3600 --json
  bioner nightly pubmed --store my-store --from /mirror/pubmed --actors 4

Exit codes: 0 up to date, 1 stopped by a fault (what came before it is applied), 2 wrong usage, 3 more rejects than
allowed.
"""

CNKI_HELP = """
Apply the exports that are new or changed in a drop folder or below a bucket prefix. Files are known by their content
and never moved or changed; of several copies of an article the one applied last counts. Then the snapshot that analysts
read is made.

\b
Examples:
  bioner nightly cnki --from /data/cnki-drop --store my-store
  bioner nightly cnki --from s3://bucket/exports/ --store my-store --json

Exit codes: 0 up to date, 1 stopped by a fault, 2 wrong usage, 3 more rejects than allowed.
"""


@app.command(help=PUBMED_HELP)
@takes_sync_options
def pubmed(
    options: SyncOptions,
    places: Places = None,
    first_number: FirstNumber = 1,
    without_md5: WithoutMd5 = False,
    allow_shrink: AllowShrink = False,
    no_snapshot: NoSnapshot = False,
    keep_snapshots: KeepSnapshots = 2,
    snapshot_memory: SnapshotMemory = "2GB",
) -> int:
    """Apply PubMed's new release files; returns the exit code."""
    with only_results_on_stdout():
        from jobs.file_progress import FileProgress
        from jobs.sync_plan import pubmed_plan
        from jobs.sync_run import run_sync
        from pipelines.nightly.pubmed import NLM_PLACES, ReleaseSource, run_pubmed

        source = ReleaseSource(
            places=tuple(places or NLM_PLACES),
            first_number=first_number,
            needs_md5=not without_md5,
            allow_shrink=allow_shrink,
        )
        progress = FileProgress(quiet=options.quiet)
        snapshot = _snapshot(keep_snapshots, snapshot_memory, wanted=not no_snapshot)

        def work(place: "Workplace", session: "AnnotationSession") -> "SyncReport":
            return run_pubmed(source, place, session, progress=progress, max_reject_rate=options.max_reject_rate)

        done = (
            pubmed_plan(source, options)
            if options.dry_run
            else run_sync(options, work, purpose="bioner nightly pubmed", snapshot=snapshot)
        )
    return report(done, as_json=options.as_json)


@app.command(help=CNKI_HELP)
@takes_sync_options
def cnki(
    options: SyncOptions,
    places: RequiredPlaces,
    no_snapshot: NoSnapshot = False,
    keep_snapshots: KeepSnapshots = 2,
    snapshot_memory: SnapshotMemory = "2GB",
) -> int:
    """Apply the exports that are new or changed; returns the exit code."""
    with only_results_on_stdout():
        from jobs.file_progress import FileProgress
        from jobs.sync_plan import exports_plan
        from jobs.sync_run import run_sync
        from pipelines.nightly.exports import run_exports

        progress = FileProgress(quiet=options.quiet)
        snapshot = _snapshot(keep_snapshots, snapshot_memory, wanted=not no_snapshot)

        def work(place: "Workplace", session: "AnnotationSession") -> "SyncReport":
            return run_exports(places, place, session, progress=progress, max_reject_rate=options.max_reject_rate)

        done = (
            exports_plan(places, options)
            if options.dry_run
            else run_sync(options, work, purpose="bioner nightly cnki", snapshot=snapshot)
        )
    return report(done, as_json=options.as_json)


def _snapshot(keep: int, memory: str, *, wanted: bool) -> "CompactionSettings | None":
    from jobs.compact import settings_of

    settings = settings_of(keep=keep, memory=memory, memory_option="--snapshot-memory")
    return settings if wanted else None
