"""`bioner report`: the newest state of a store, or one of its runs, in figures and as a page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from bioner_core.report.figures import report_figures
from bioner_core.report.page import render_report
from bioner_core.spoken import spoken_count, spoken_duration
from bioner_core.store.atomic import write_text
from bioner_core.store.query.query_session import query_session
from jobs.options.common import Json, StoreOption, bytes_of
from jobs.terminal.console import only_results_on_stdout, print_result, require_folder_of
from jobs.terminal.damage import require_store_to_show
from jobs.terminal.mention_table import printable
from pipelines.watch.run_history import run_history

HELP = """
Report on the newest state of a store or on one run: counts, types, scores, nesting, rejects, top entities, newest
documents, and how the last run differs from the one before. --html writes one self-contained page.

\b
Example:
  bioner report --store my-store --html report.html
"""

_LEAST_MEMORY = 64 * 1024**2

Html = Annotated[Path | None, typer.Option("--html", help="Write the page to this file.")]
Run = Annotated[str | None, typer.Option("--run", help="Only what this run made of the newest state; its id.")]
Memory = Annotated[str, typer.Option(help="How much memory DuckDB may use; the rest goes to disk.")]


def report(
    store: StoreOption, html: Html = None, run: Run = None, memory: Memory = "2GB", as_json: Json = False
) -> int:
    """Report on a store; returns the exit code."""
    with only_results_on_stdout():
        require_store_to_show(store)
        memory_bytes = bytes_of(memory, option="--memory", least=_LEAST_MEMORY)
        if html is not None:
            require_folder_of(html, option="--html")
        with query_session(store, memory_bytes=memory_bytes, history=run_history(store)) as session:
            figures = report_figures(session, run=run)
        if html is not None:
            _write_page(figures, html)
    print_result(figures, as_json=as_json, show=lambda: _show(figures, html))
    return 0


def _write_page(figures: Mapping[str, Any], path: Path) -> None:

    write_text(path, render_report(figures))


def _show(figures: Mapping[str, Any], html: Path | None) -> None:

    counts = figures["counts"]
    print(f"read from  {figures['origin']}" + (f", run {figures['run']}" if figures["run"] else ""))
    records, candidates = spoken_count(counts["records_in"], "record"), spoken_count(counts["candidates"], "candidate")
    print(f"documents  {counts['documents']}, {counts['rejected']} of {records} rejected")
    print(f"mentions   {counts['accepted']} accepted of {candidates}, {counts['nested']} nested")
    for one in figures["types"]:
        print(f"type       {printable(one['type'])} ({printable(one['label_set'])}) {one['accepted']}")
    if again := figures["reannotation"]:
        cost = "of unknown length" if again["seconds"] is None else f"about {spoken_duration(again['seconds'])} of work"
        print(
            f"models     {len(again['documents_by_model'])}; {spoken_count(again['documents'], 'document')} "
            f"not of the newest, {again['fingerprint'][:16]}: to annotate again what is older is {cost}"
        )
    drift = figures["drift"]
    for one in drift["differences"] if drift else ():
        if one["large"]:
            print(f"WARNING    {drift['run']} against {drift['previous_run']}: {one['name']} {one['value']}")
    if html is not None:
        print(f"page       {html}")
