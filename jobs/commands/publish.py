"""`bioner publish`: a snapshot as tables that other engines read."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from jobs.options.common import Json, Quiet, StoreOption
from jobs.terminal.console import only_results_on_stdout, print_result, require_store
from jobs.terminal.progress import ProgressBar

HELP = """
Publish the current snapshot, and the current links, as Delta tables: one folder per table under the target, one version
of it per snapshot. What is there already is not written again. Other engines (Spark, Databricks, DuckDB, polars, Trino)
read the tables, and earlier snapshots by version or time.

\b
Examples:
  bioner publish --store my-store --delta /lake/literature
  bioner publish --store my-store --delta s3://bucket/literature --table mentions --table links --json
"""

Target = Annotated[
    str, typer.Option("--delta", help="Folder or URL that holds, or is to hold, the Delta tables.", show_default=False)
]
Tables = Annotated[list[str] | None, typer.Option("--table", help="Only this table; repeatable. Default: all.")]


def publish(
    store: StoreOption, delta: Target, tables: Tables = None, as_json: Json = False, quiet: Quiet = False
) -> int:
    """Publish a snapshot; returns the exit code."""
    from bioner_core.publish.delta import publish_delta

    with only_results_on_stdout():
        require_store(store)
        with ProgressBar("tables", quiet=quiet) as progress:
            report = publish_delta(store, delta, tables=tables or (), on_table=lambda _: progress.done(1))
    print_result(asdict(report), as_json=as_json, show=lambda: _show(asdict(report)))
    return 0


def _show(report: dict[str, Any]) -> None:
    print(f"{report['target']}: snapshot {report['snapshot']}")
    for one in report["tables"]:
        done = "written" if one["was_written"] else "there already"
        print(f"  {one['table']:<16} {one['rows']:>12,} rows, version {one['version']}, {done}")
