"""`bioner nightly pubmed|cnki`: bring a store up to date with what has appeared."""

from typing import TYPE_CHECKING

import typer

from jobs.options.common import takes_option_groups
from jobs.options.sync import (
    AllowShrink,
    FirstNumber,
    Places,
    RequiredPlaces,
    SnapshotOptions,
    SyncOptions,
    WithoutMd5,
)
from jobs.terminal.console import only_results_on_stdout
from jobs.terminal.progress import FileProgress

if TYPE_CHECKING:
    from jobs.runs.session import AnnotationSession
    from pipelines.nightly.apply import SyncContext
    from pipelines.nightly.report import SyncReport

app = typer.Typer(help="Add new files to a store, in their order.", rich_markup_mode=None)

PUBMED_HELP = """
Apply PubMed's release files that are new, in their order. Lists the places, downloads (going on where it broke off),
checks each .md5, annotates what is new, takes over what is unchanged, applies deletions; a new year's baseline replaces
everything before. Then the snapshot that analysts read is made, and with --link its mentions are linked. Run again the
same night, it does nothing.

\b
Examples:
  bioner nightly pubmed --store my-store --dry-run
  bioner nightly pubmed --store my-store --wait 3600 --json
  bioner nightly pubmed --store my-store --from /mirror/pubmed --actors 4 --link mesh

Exit codes: 0 up to date, 1 stopped by a fault (what came before it is applied), 2 wrong usage, 3 more rejects than
allowed.
"""

CNKI_HELP = """
Apply the exports that are new or changed in a drop folder or below a bucket prefix. Files are known by their content
and never moved or changed; of several copies of an article the one with the most text counts, of equal ones the one
applied last. Then the snapshot that analysts read is made.

\b
Examples:
  bioner nightly cnki --from /data/cnki-drop --store my-store
  bioner nightly cnki --from s3://bucket/exports/ --store my-store --json

Exit codes: 0 up to date, 1 stopped by a fault, 2 wrong usage, 3 more rejects than allowed.
"""


@app.command(help=PUBMED_HELP)
@takes_option_groups
def pubmed(
    options: SyncOptions,
    snapshot: SnapshotOptions,
    places: Places = None,
    first_number: FirstNumber = 1,
    without_md5: WithoutMd5 = False,
    allow_shrink: AllowShrink = False,
) -> int:
    """Apply PubMed's new release files; returns the exit code."""
    with only_results_on_stdout():
        from jobs.runs.links import linker_of  # what imports pyarrow is not for --help
        from jobs.runs.snapshot import snapshot_settings
        from jobs.runs.sync import pubmed_plan, report, run_sync
        from pipelines.nightly.pubmed import NLM_PLACES, ReleaseSource, run_pubmed

        source = ReleaseSource(
            places=tuple(places or NLM_PLACES),
            first_number=first_number,
            needs_md5=not without_md5,
            allow_shrink=allow_shrink,
        )
        progress = FileProgress(quiet=options.run.quiet)
        ending, linker = snapshot_settings(snapshot), linker_of(snapshot.link)

        def work(context: "SyncContext", session: "AnnotationSession") -> "SyncReport":
            return run_pubmed(
                source, context, annotator=session, progress=progress, max_reject_rate=options.run.max_reject_rate
            )

        done = (
            pubmed_plan(source, options)
            if options.dry_run
            else run_sync(
                options, work, purpose="bioner nightly pubmed", places=source.places, snapshot=ending, linker=linker
            )
        )
    return report(done, as_json=options.as_json)


@app.command(help=CNKI_HELP)
@takes_option_groups
def cnki(options: SyncOptions, snapshot: SnapshotOptions, places: RequiredPlaces) -> int:
    """Apply the exports that are new or changed; returns the exit code."""
    with only_results_on_stdout():
        from jobs.runs.links import linker_of  # what imports pyarrow is not for --help
        from jobs.runs.snapshot import snapshot_settings
        from jobs.runs.sync import exports_plan, report, run_sync
        from pipelines.nightly.exports import run_exports

        progress = FileProgress(quiet=options.run.quiet)
        ending, linker = snapshot_settings(snapshot), linker_of(snapshot.link)

        def work(context: "SyncContext", session: "AnnotationSession") -> "SyncReport":
            return run_exports(
                places, context, annotator=session, progress=progress, max_reject_rate=options.run.max_reject_rate
            )

        done = (
            exports_plan(places, options)
            if options.dry_run
            else run_sync(options, work, purpose="bioner nightly cnki", places=places, snapshot=ending, linker=linker)
        )
    return report(done, as_json=options.as_json)
