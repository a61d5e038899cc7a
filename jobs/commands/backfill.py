"""`bioner backfill pubmed|pmc`: every file of a place, by as many machines as there are."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from bioner_core.errors import ConfigurationError
from bioner_core.spoken import spoken_count
from bioner_core.store.history.lock import Part
from jobs.options.annotation import Feeders
from jobs.options.common import takes_option_groups
from jobs.options.sync import (
    FirstNumber,
    Places,
    RequiredPlaces,
    ShardOf,
    SyncOptions,
    WithoutMd5,
)
from jobs.terminal.console import only_results_on_stdout, say
from jobs.terminal.progress import FileProgress

if TYPE_CHECKING:
    from jobs.runs.session import AnnotationSession
    from pipelines.nightly.apply import PendingFile, SyncContext
    from pipelines.nightly.pubmed import ReleaseSource
    from pipelines.nightly.report import SyncReport

app = typer.Typer(
    help="Annotate every file of a folder or server. Run it again to go on after a stop.", rich_markup_mode=None
)

PUBMED_HELP = """
Annotate all of PubMed's release files, in any order. What is committed is not done again, also after a kill; with
another model every file is done again. The nightly job goes on from where the backfill ends.

\b
Examples:
  bioner backfill pubmed --store /shared/store --dry-run
  bioner backfill pubmed --store /shared/store --shard 1/8 --actors 4      on the first of eight machines
  bioner backfill pubmed --store /shared/store --ray head:6379 --actors 16 --feeders 4

Exit codes: 0 all of this part is applied, 1 something failed, 2 wrong usage, 3 more rejects than allowed.
"""

PMC_HELP = """
Annotate all articles and packages (.tar.gz, .xml, .nxml) of a folder of PMC's open-access subset.

\b
Examples:
  bioner backfill pmc --from /mirror/oa_comm/xml --store /shared/store
  bioner backfill pmc --from /mirror/oa_comm/xml --store /shared/store --shard 2/8

Exit codes: 0 all of this part is applied, 1 something failed, 2 wrong usage, 3 more rejects than allowed.
"""


@app.command(help=PUBMED_HELP)
@takes_option_groups
def pubmed(
    options: SyncOptions,
    places: Places = None,
    shard: ShardOf = "1/1",
    first_number: FirstNumber = 1,
    without_md5: WithoutMd5 = False,
    feeders: Feeders = None,
) -> int:
    """Apply all release files of this part; returns the exit code."""
    options = with_feeders(options, feeders)
    with only_results_on_stdout():
        from jobs.runs.sync import pubmed_backfill_plan, report  # what imports pyarrow is not for --help
        from pipelines.nightly.pubmed import NLM_PLACES, ReleaseSource

        source = ReleaseSource(places=tuple(places or NLM_PLACES), first_number=first_number, needs_md5=not without_md5)
        part = parse_part(shard)
        done = (
            pubmed_backfill_plan(source, part, options=options)
            if options.dry_run
            else backfill_pubmed(source, part, options=options)
        )
    return report(done, as_json=options.as_json)


@app.command(help=PMC_HELP)
@takes_option_groups
def pmc(options: SyncOptions, places: RequiredPlaces, shard: ShardOf = "1/1", feeders: Feeders = None) -> int:
    """Apply all articles of this part; returns the exit code."""
    options = with_feeders(options, feeders)
    with only_results_on_stdout():
        from jobs.runs.sync import pmc_backfill_plan, report  # what imports pyarrow is not for --help

        part = parse_part(shard)
        done = (
            pmc_backfill_plan(places, part, options=options)
            if options.dry_run
            else backfill_pmc(places, part, options=options)
        )
    return report(done, as_json=options.as_json)


def with_feeders(options: SyncOptions, feeders: int | None) -> SyncOptions:
    """The options with so many feeders."""
    return replace(options, run=replace(options.run, feeders=feeders))


def parse_part(text: str) -> Part:
    """Read `K/N`.

    Raises:
        ConfigurationError: it does not read so, or K is not one of 1 to N.
    """
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if found is None:
        raise ConfigurationError(f"--shard: is {text!r}; use K/N, such as 1/8")
    return Part(int(found.group(1)), int(found.group(2)))


def backfill_pubmed(source: "ReleaseSource", part: Part, *, options: SyncOptions) -> "SyncReport":
    """Apply this part of PubMed's release files.

    Raises:
        BionerError: an option is unusable, a place cannot be listed, or the store cannot be had.
    """
    from bioner_core.store.history.input_order import PUBMED
    from jobs.runs.sync import run_sync
    from pipelines.nightly.apply import known_files
    from pipelines.nightly.backfill import pubmed_files, run_backfill

    def work(context: "SyncContext", session: "AnnotationSession") -> "SyncReport":
        entries, context = known_files(context, PUBMED)
        files, gap = pubmed_files(source, entries, policy=context.policy, fingerprint=session.run_fingerprint)
        mine = _mine(files, part, options)
        return run_backfill(
            PUBMED,
            mine,
            context=context,
            annotator=session,
            needs_md5=source.needs_md5,
            progress=FileProgress(quiet=options.run.quiet),
            max_reject_rate=options.run.max_reject_rate,
            gap=gap,
        )

    return run_sync(options, work, purpose=_purpose("pubmed", part), places=source.places, part=part)


def backfill_pmc(places: Sequence[str], part: Part, *, options: SyncOptions) -> "SyncReport":
    """Apply this part of a PMC folder.

    Raises:
        BionerError: as `backfill_pubmed`.
    """
    from jobs.runs.sync import run_sync
    from pipelines.nightly.apply import known_files
    from pipelines.nightly.backfill import PMC, pmc_files, run_backfill

    def work(context: "SyncContext", session: "AnnotationSession") -> "SyncReport":
        entries, context = known_files(context, PMC)
        files = pmc_files(places, entries, policy=context.policy, fingerprint=session.run_fingerprint)
        return run_backfill(
            PMC,
            _mine(files, part, options),
            context=context,
            annotator=session,
            needs_md5=False,
            progress=FileProgress(quiet=options.run.quiet),
            max_reject_rate=options.run.max_reject_rate,
        )

    return run_sync(options, work, purpose=_purpose("pmc", part), places=places, part=part)


def _mine(files: "Sequence[PendingFile]", part: Part, options: SyncOptions) -> "list[PendingFile]":
    from pipelines.nightly.backfill import of_part

    mine = of_part(files, part)
    if not options.run.quiet:
        say(f"to do: {spoken_count(len(files), 'file')} in all, {len(mine)} of them in part {part.number}/{part.of}")
    return mine


def _purpose(kind: str, part: Part) -> str:
    return f"bioner backfill {kind}" if part.whole else f"bioner backfill {kind} --shard {part.number}/{part.of}"
