"""Shards that a run has committed and that are no longer there: plans and reports held against the manifests."""

from collections.abc import Iterator

from bioner_core.errors import DamagedFileError
from bioner_core.store.layout import Store, shard_id
from pipelines.job_report import read_report, report_paths
from pipelines.outcome import Status
from pipelines.plan_record import damaged_plans, read_plans


def lost_shard_faults(store: Store) -> Iterator[str]:
    """What plans and reports promise and manifests do not keep, in words; damaged plans and reports too.

    A shard that is planned and was never committed is work to do, and no fault.
    """
    yield from damaged_plans(store)
    plans = read_plans(store)
    planned = {shard_id(plan.key, first, last): plan.input_file for plan in plans for first, last in plan.ranges}
    committed: set[str] = set()
    for path in report_paths(store):
        try:
            outcomes = read_report(path)
        except DamagedFileError:
            yield (
                f"jobs/{path.name} is damaged. The next run on the store makes it anew from the manifests; or remove "
                "it: it only tells how a run ended"
            )
        else:
            committed |= {one.shard_id for one in outcomes if one.status is not Status.FAILED}
    for shard in sorted(committed & planned.keys()):
        if not store.manifest(shard).exists():
            yield (
                f"shard {shard}: a run has committed it, and its manifest is gone. Restore manifests/{shard}.json, or "
                f"annotate {planned[shard]} again"
            )
