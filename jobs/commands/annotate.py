"""`bioner annotate`: dumps to nested mentions in Parquet."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from bioner_core.errors import EXIT_TOO_MANY_REJECTS, listed_names
from bioner_core.spoken import spoken_count
from jobs.options.annotation import AnnotateFilesConfig
from jobs.options.common import Json, takes_option_groups
from jobs.options.metrics import MetricsOutlet, metrics_shown
from jobs.terminal.console import only_results_on_stdout, print_result, say, say_error

if TYPE_CHECKING:
    from pipelines.summary import JobSummary

HELP = """
Annotate literature dumps into a store. Results are committed shard by shard; a rerun skips what is committed.

\b
Examples:
  bioner annotate pubmed26n0001.xml.gz 'cnki/*.txt' --store my-store
  bioner annotate dumps/ --store my-store --actors 4 --json
  bioner annotate notes/ --store my-store --format text         (plain text, one document per file)
  zcat in.xml.gz | bioner annotate - --store my-store
  bioner annotate in.xml --store my-store --pool gpus          (started with `bioner pool start --name gpus`)
  bioner annotate dumps/ --store my-store --ray head:6379 --actors 16 --feeders 4
  bioner annotate in.xml --store my-store --runner FlinkRunner -- --parallelism=4

What follows a lone -- goes to Beam as it is.

Exit codes: 0 all is committed, 1 something failed, 2 wrong usage, 3 more rejects than allowed.
"""

Inputs = Annotated[
    list[str], typer.Argument(help="Files, folders, globs or URLs; - is standard input.", show_default=False)
]


@takes_option_groups
def annotate(
    context: typer.Context,
    inputs: Inputs,
    config: AnnotateFilesConfig,
    metrics: MetricsOutlet,
    as_json: Json = False,
) -> int:
    """Annotate what the command line names; returns the exit code."""
    with only_results_on_stdout():
        from jobs.runs.annotator import chosen_annotator  # what imports pyarrow is not for --help
        from jobs.runs.session import annotate_inputs
        from pipelines.watch.metrics_page import JobPage

        page = JobPage()
        config = replace(config, inputs=tuple(inputs), pipeline_options=tuple(context.obj or ()))
        with metrics_shown(metrics, page, job="annotate"):
            annotator = chosen_annotator(config)
            summary = annotate_inputs(config, annotator=annotator, page=page)
            page.end(summary.exit_code())
    report(summary, as_json=as_json)
    return summary.exit_code()


def report(summary: "JobSummary", *, as_json: bool) -> None:
    """Print what a run did; failures and too many rejects go to standard error, one line each."""
    for failed in summary.failures:
        say_error(failed.failure)
    if summary.unread:
        names = listed_names(summary.unread, most=20)
        say(f"note: {spoken_count(len(summary.unread), 'file')} not read, since no reader knows such: {names}")
    if summary.exit_code() == EXIT_TOO_MANY_REJECTS:
        say_error(
            f"{summary.reject_rate:.1%} rejects, more than the {summary.max_reject_rate:.1%} allowed; "
            "`bioner status` lists their reasons"
        )
    from bioner_core.store.manifest import loss_lines

    for line in loss_lines(summary.counts):
        say(f"note: {line}")
    print_result(summary.as_json(), as_json=as_json, show=lambda: _show(summary))


def _show(summary: "JobSummary") -> None:
    counts = summary.counts
    if not (summary.shards_committed or summary.shards_failed or summary.shards_refinished):
        print(f"nothing to do, no model call: {spoken_count(summary.shards_skipped, 'shard')}, all committed before")
    else:
        print(
            f"{spoken_count(summary.shards_committed, 'shard')} committed in {summary.seconds:.1f} s, "
            f"{summary.shards_skipped} committed before, {summary.shards_failed} failed"
        )
        if summary.shards_refinished:
            again = spoken_count(summary.shards_refinished, "shard")
            print(f"{again} finished again from stored candidates, no model call")
    print(f"{spoken_count(counts.records_in, 'record')} = {counts.outcomes}")
    print(
        f"{spoken_count(counts.mentions, 'mention')} ({counts.mentions_accepted} accepted) "
        f"in {spoken_count(counts.sentences, 'sentence')}; "
        f"{counts.row_rejects} of {counts.rows} model rows failed"
    )
    if summary.rows_sent:
        print(f"{summary.padding:.1%} of the batches was padding")
    load = summary.load
    if load.actor_busy_share is not None and load.first_document_seconds is not None:
        print(
            f"ready after {load.startup_seconds or 0:.1f} s, first document after {load.first_document_seconds:.1f} s; "
            f"actors at work {load.actor_busy_share:.1%} of the time"
        )
