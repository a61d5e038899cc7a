"""`bioner status`: how a store stands."""

from typing import TYPE_CHECKING

from jobs.console import only_results_on_stdout, print_result, require_store
from jobs.options import Json, Store

if TYPE_CHECKING:
    from pipelines.status import StoreStatus

HELP = """
Say how a store stands. Shows what is committed and pending, what was rejected and why, and what failed last.

\b
Example:
  bioner status --store my-store
"""


def status(store: Store, as_json: Json = False) -> int:
    """Print the state of a store; returns the exit code."""
    with only_results_on_stdout():
        from pipelines.status import store_status

        require_store(store)
        found = store_status(store)
    print_result(found.as_json(), as_json=as_json, show=lambda: _show(found))
    return 0


def _show(found: "StoreStatus") -> None:
    counts = found.counts
    print(f"inputs     {found.inputs}")
    print(f"shards     {found.shards_committed} committed, {found.shards_pending} pending")
    print(
        f"records    {counts.records_in} = {counts.annotated} annotated + {counts.unchanged} unchanged "
        f"+ {counts.deleted} deleted + {counts.rejected} rejected"
    )
    print(f"sentences  {counts.sentences}; {counts.row_rejects} of {counts.rows} model rows failed")
    print(f"mentions   {counts.mentions}, {counts.mentions_accepted} accepted")
    print(f"work       {found.seconds:.1f} s, summed over shards")
    for reason, number in found.reject_reasons.items():
        print(f"rejects    {number} {reason}")
    for fingerprint, number in found.fingerprints.items():
        print(f"made by    {fingerprint[:16]} ({number} shards)")
    for failure in found.failures:
        print(f"failed     {failure.shard_id or failure.input_file}: {failure.message}")
