"""`bioner retry`: annotate again what was rejected for a reason that may pass."""

from typing import TYPE_CHECKING, Annotated

import typer

from jobs.annotation_options import RunOptions
from jobs.console import only_results_on_stdout, print_result, require_store, say, warn
from jobs.option_groups import takes_option_groups
from jobs.options import Json, Store

if TYPE_CHECKING:
    from jobs.retry_run import RetryReport

HELP = """
Annotate again the documents and sentences that were rejected because an actor died, a deadline passed, memory ran out
or the model failed. Only they cost model calls. Name the model and label sets that the store was made with.

\b
Examples:
  bioner retry --store my-store --dry-run
  bioner retry --store my-store --reason deadline --reason out_of_memory --token-budget 2000
  bioner retry /new/place/pubmed26n0001.xml.gz --store my-store

The inputs are read again from where they were; name those that have moved. What was wrong with a record itself does not
pass: mend its file and annotate that. Shards that failed as a whole are made by running `bioner annotate` again.

Exit codes: 0 done or nothing to retry, 1 something failed, 2 wrong usage, 3 still more rejects than allowed.
"""

Moved = Annotated[list[str] | None, typer.Argument(metavar="[INPUT]...", help="Where inputs are now that have moved.")]
Reasons = Annotated[
    list[str] | None,
    typer.Option(
        "--reason", help="actor_died, deadline, out_of_memory or annotation_failed; may be given often. Else all four."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be tried again; change nothing.")]


@takes_option_groups
def retry(
    store: Store,
    run: RunOptions,
    moved: Moved = None,
    reason: Reasons = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Try rejects again; returns the exit code."""
    with only_results_on_stdout():
        from jobs.annotation_run import AnnotationWishes
        from jobs.annotator_choice import chosen_annotator
        from jobs.retry_run import passing_reasons, retry_store

        require_store(store)
        wishes = AnnotationWishes(
            inputs=tuple(moved or ()), store=store, annotator=chosen_annotator(run.annotator), run=run
        )
        done = retry_store(wishes, passing_reasons(reason or ()), dry_run=dry_run)
    report(done, as_json=as_json)
    return done.exit_code()


def report(done: "RetryReport", *, as_json: bool) -> None:
    """Print what became of the rejects; failures go to standard error, a line each."""
    for failure in done.summary.failures:
        warn(f"{failure.shard_id}: {failure.message}")
    if done.summary.failures:
        say("note: an input that has moved is named as an argument: `bioner retry INPUT --store STORE`")
    if done.exit_code() == 3:
        warn(
            f"{done.summary.reject_rate:.1%} rejects are left, more than the {done.summary.max_reject_rate:.1%} allowed"
        )
    if done.of_other_models:
        say(f"note: {done.of_other_models} rejects are of another model or other label sets, and stay")
    print_result(done.as_json(), as_json=as_json, show=lambda: _show(done))


def _show(done: "RetryReport") -> None:
    before, after = done.before, done.after
    if not done.shards:
        print(f"nothing to retry: no reject for {', '.join(done.reasons)}")
        return
    print(f"before  {before.documents} documents and {before.rows} rows rejected in {done.shards} shards")
    for reason, number in sorted(before.reasons.items()):
        print(f"        {number} {reason}")
    if done.dry_run:
        print("nothing was changed")
        return
    print(f"after   {after.documents} documents and {after.rows} rows")
    print(f"{done.rows_asked} rows went to the model in {done.summary.seconds:.1f} s")
