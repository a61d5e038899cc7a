"""`bioner status`: the state of a store."""

from typing import Annotated

import typer

from bioner_core.spoken import spoken_count
from bioner_core.store.layout import Store
from jobs.options.common import Json, StoreOption
from jobs.terminal.console import only_results_on_stdout, print_result, require_store
from jobs.terminal.status_view import show_until_done
from pipelines.watch.status import StoreStatus, store_status
from pipelines.watch.store_watch import StoreWatch

HELP = """
Show the state of a store. It lists what is committed and pending, what was rejected and why, and what failed last.

With --watch it is shown again and again while a job works on the store, with its speed, the time left and its actors:
on a terminal as one page, elsewhere as one line each time, with --json as one JSON object per line. It ends when no job
is at work, or with Ctrl-C and exit code 130.

\b
Examples:
  bioner status --store my-store
  bioner status --store my-store --watch
  bioner status --store my-store --watch --interval 60 --json >> progress.jsonl
"""

Watch = Annotated[bool, typer.Option("--watch", help="Show it again and again until no job is at work.")]
Interval = Annotated[float, typer.Option(help="Seconds between two looks of --watch.", min=0.1)]


def status(store: StoreOption, watch: Watch = False, interval: Interval = 2.0, as_json: Json = False) -> int:
    """Print the state of a store; returns the exit code."""
    if watch:
        return _watch(store, interval=interval, as_json=as_json)
    with only_results_on_stdout():
        require_store(store)
        found = store_status(store)
    print_result(found.as_json(), as_json=as_json, show=lambda: _show(found))
    return 0


def _watch(store: Store, *, interval: float, as_json: bool) -> int:
    with only_results_on_stdout():
        require_store(store)
    show_until_done(StoreWatch(store), interval=interval, as_json=as_json)
    return 0


def _show(found: StoreStatus) -> None:
    counts = found.counts
    for fault in found.damaged:
        print(f"damaged    {fault}")
    for job in found.jobs or ("none is at work on this store",):
        print(f"job        {job}")
    print(f"inputs     {found.inputs}")
    print(f"shards     {found.shards_committed} committed, {found.shards_pending} pending")
    print(f"records    {counts.records_in} = {counts.outcomes}")
    print(f"sentences  {counts.sentences}; {counts.row_rejects} of {counts.rows} model rows failed")
    from bioner_core.store.manifest import loss_lines

    for line in loss_lines(counts):
        print(f"note       {line}")
    print(f"mentions   {counts.mentions}, {counts.mentions_accepted} accepted")
    print(f"work       {found.seconds:.1f} s, summed over shards")
    for reason, number in found.reject_reasons.items():
        print(f"rejects    {number} {reason}")
    for fingerprint, number in found.fingerprints.items():
        print(f"made by    {found.models[fingerprint]}, {spoken_count(number, 'shard')}")
    for job in found.failed_jobs:
        print(f"failed     {job}")
    for failed in found.failures:
        print(f"failed     {failed.failure}")
