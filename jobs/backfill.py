"""`bioner backfill pubmed|pmc`: every file of a place, by as many machines as there are."""

import typer

from jobs.console import only_results_on_stdout
from jobs.option_groups import takes_option_groups
from jobs.sync_options import (
    FirstNumber,
    Places,
    RequiredPlaces,
    ShardOf,
    SyncOptions,
    WithoutMd5,
)
from jobs.sync_report import report

app = typer.Typer(help="Annotate every file of a place, resumably.", rich_markup_mode=None)

PUBMED_HELP = """
Annotate all of PubMed's release files, in any order. What is committed is not done again, also after a kill; with
another model every file is done again. The nightly job goes on from where the backfill ends.

\b
Examples:
  bioner backfill pubmed --store /shared/store --dry-run
  bioner backfill pubmed --store /shared/store --shard 1/8 --actors 4      on the first of eight machines

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
) -> int:
    """Apply all release files of this part; returns the exit code."""
    with only_results_on_stdout():
        from jobs.backfill_run import backfill_pubmed, parse_part
        from jobs.sync_plan import pubmed_backfill_plan
        from pipelines.nightly.pubmed import NLM_PLACES, ReleaseSource

        source = ReleaseSource(places=tuple(places or NLM_PLACES), first_number=first_number, needs_md5=not without_md5)
        part = parse_part(shard)
        done = (
            pubmed_backfill_plan(source, part, options) if options.dry_run else backfill_pubmed(source, part, options)
        )
    return report(done, as_json=options.as_json)


@app.command(help=PMC_HELP)
@takes_option_groups
def pmc(options: SyncOptions, places: RequiredPlaces, shard: ShardOf = "1/1") -> int:
    """Apply all articles of this part; returns the exit code."""
    with only_results_on_stdout():
        from jobs.backfill_run import backfill_pmc, parse_part
        from jobs.sync_plan import pmc_backfill_plan

        part = parse_part(shard)
        done = pmc_backfill_plan(places, part, options) if options.dry_run else backfill_pmc(places, part, options)
    return report(done, as_json=options.as_json)
