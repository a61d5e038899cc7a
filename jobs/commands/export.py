"""`bioner export`: the newest state of a store in the formats of others."""

from pathlib import Path
from typing import Annotated, Any

import typer

from bioner_core.export.export import export_store
from bioner_core.export.provenance import Selection
from bioner_core.spoken import spoken_count
from jobs.options.common import Json, OfModel, Quiet, StoreOption
from jobs.terminal.console import only_results_on_stdout, print_result
from jobs.terminal.damage import require_store_to_show
from jobs.terminal.progress import ProgressBar

HELP = """
Write the newest version of each document in another format: bioc-xml, bioc-json, pubtator, brat, jsonl, conll, kgx or
neo4j. OUTPUT.export.json beside it says where it comes from and what it holds.

The tables of kgx and neo4j are for importers: names and sentences stand as they are, so do not open them in a
spreadsheet, which runs a text that begins with = + - or @. For a spreadsheet there is `bioner query --format csv`.

\b
Example:
  bioner export --store my-store --format kgx --output graph
"""

Format = Annotated[
    str,
    typer.Option(
        "--format", help="bioc-xml, bioc-json, pubtator, brat, jsonl, conll, kgx or neo4j.", show_default=False
    ),
]
Output = Annotated[
    Path,
    typer.Option(
        "--output", help="File to write (.gz compresses); for brat, kgx and neo4j a folder.", show_default=False
    ),
]
LabelSet = Annotated[str | None, typer.Option("--label-set", help="Only mentions of this label set.")]
AllCandidates = Annotated[bool, typer.Option("--all-candidates", help="Also what the selector turned down.")]


def export(
    store: StoreOption,
    format_name: Format,
    output: Output,
    label_set: LabelSet = None,
    all_candidates: AllCandidates = False,
    model: OfModel = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Export a store; returns the exit code."""
    with only_results_on_stdout():
        require_store_to_show(store)
        with ProgressBar("documents", quiet=quiet) as progress:
            report = export_store(
                store,
                output,
                format_name=format_name,
                selection=Selection(label_set, all_candidates, model),
                on_document=lambda: progress.done(1),
            )
    print_result(report, as_json=as_json, show=lambda: _show(report, output))
    return 0


def _show(report: dict[str, Any], output: Path) -> None:
    print(
        f"{output}: {spoken_count(report['documents'], 'document')}, {spoken_count(report['mentions'], 'mention')}, "
        f"from {report['exported_from']}"
    )
    models = report["model_fingerprints"]
    if isinstance(models, dict) and len(models) > 1:
        shares = ", ".join(f"{one[:16]} ({spoken_count(count, 'document')})" for one, count in models.items())
        print(f"models: {shares}; --model exports one alone")
    if report["left_out_mentions"]:
        print(f"left out: {spoken_count(report['left_out_mentions'], 'mention')} inside or across a longer one")
    if report["replaced_characters"]:
        print(f"replaced: {spoken_count(report['replaced_characters'], 'character')} that the format cannot hold")
