"""`bioner link`: identifiers for the mentions of a store."""

from typing import Annotated, Any

import typer

from bioner_core.spoken import spoken_count
from jobs.options.common import Json, Quiet, StoreOption, Wait
from jobs.runs.locking import held_lock
from jobs.terminal.console import only_results_on_stdout, print_result
from jobs.terminal.damage import require_store_to_show
from jobs.terminal.progress import ProgressBar

HELP = """
Link the mentions of a store to concepts, into the table `links`. A cheap pass over what is stored: no model runs, and a
new vocabulary or rule needs nothing else; with the same ones only what came or changed is linked. Of several
vocabularies the one that finds a name most surely wins, then the first. Genes are those of the species that the
document speaks of, human where it names none.

\b
Examples:
  bioner link --store my-store --vocabulary mesh --vocabulary hgnc
  bioner link --store my-store --vocabulary aliases --vocabulary mesh --json
"""

Vocabularies = Annotated[
    list[str], typer.Option("--vocabulary", help="Name or folder of one; repeatable, in order.", show_default=False)
]
AllCandidates = Annotated[bool, typer.Option("--all-candidates", help="Also what the selector turned down.")]
Anew = Annotated[bool, typer.Option("--anew", help="Link everything again; the links are the same.")]
Taxon = Annotated[str, typer.Option(help="Species of genes in documents that name none.")]


def link(
    store: StoreOption,
    vocabularies: Vocabularies,
    default_taxon: Taxon = "NCBITaxon:9606",
    all_candidates: AllCandidates = False,
    anew: Anew = False,
    wait: Wait = 0.0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Link a store; returns the exit code."""
    from bioner_core.concepts.vocabularies import open_vocabularies
    from bioner_core.linking.link_store import link_store
    from bioner_core.linking.linker import Linker
    from bioner_core.store.query.link_summaries import make_link_summaries

    with only_results_on_stdout():
        require_store_to_show(store)
        linker = Linker(open_vocabularies(vocabularies), default_taxon=default_taxon)
        with (
            held_lock(store, purpose="bioner link", quiet=quiet, wait_seconds=wait) as lock,
            ProgressBar("documents", quiet=quiet) as progress,
        ):
            report = link_store(
                store,
                linker,
                all_candidates=all_candidates,
                anew=anew,
                on_document=lambda: progress.done(1),
                check=lock.check,
            )
            make_link_summaries(store, check=lock.check)
    print_result(report.to_json(), as_json=as_json, show=lambda: _show(report.to_json()))
    return 0


def _show(report: dict[str, Any]) -> None:
    print(
        f"{report['linked']} of {spoken_count(report['mentions'], 'mention')} "
        f"of {spoken_count(report['documents'], 'document')} linked"
    )
    print(f"{report['documents_linked_now']} of these documents were linked now, the links of the others kept")
    print(
        f"{spoken_count(report['abbreviations'], 'abbreviation')}; "
        f"{report['mentions_per_second']} mentions/s in the linker"
    )
    for method, count in dict(report["by_method"]).items():
        print(f"  {method:<20} {count}")
