"""`bioner verify`: the check of a whole store that anyone can run."""

from dataclasses import asdict, replace

from bioner_core.errors import EXIT_FAILED
from bioner_core.spoken import spoken_count
from bioner_core.store.checks.verify import VerificationReport, verify_store
from bioner_core.store.snapshot.snapshot_manifest import snapshot_ids
from jobs.options.common import Json, Quiet, StoreOption
from jobs.terminal.console import only_results_on_stdout, print_result, require_store
from jobs.terminal.progress import ProgressBar
from pipelines.job_report import lost_shard_faults

HELP = """
Check a whole store. Records in = annotated + unchanged + deleted + rejected in every manifest, each file's digest and
rows, passage.text[start:end] == text for every mention, parents and depths; of snapshots the pointer CURRENT, digests
and counts; that no shard that a run has committed is gone. All that is wrong is listed, each with what to do. Ends with
1 if anything is.

\b
Example:
  bioner verify --store my-store
"""


def verify(store: StoreOption, as_json: Json = False, quiet: Quiet = False) -> int:
    """Check a store; returns the exit code."""
    with only_results_on_stdout():
        require_store(store)
        with ProgressBar("shards and snapshots", quiet=quiet) as progress:
            progress.planned(sum(1 for _ in store.manifests.glob("[!.]*.json")) + len(snapshot_ids(store)))
            found = verify_store(store, on_shard=lambda _: progress.done(1), on_snapshot=lambda _: progress.done(1))
        lost = tuple(lost_shard_faults(store))
        found = replace(found, faults=found.faults + lost, fault_count=found.fault_count + len(lost))
    print_result(as_object(found), as_json=as_json, show=lambda: _show(found))
    return 0 if found.sound else EXIT_FAILED


def as_object(found: VerificationReport) -> dict[str, object]:
    """The report as a flat JSON object, the counts at the top level."""
    return asdict(found.counts) | {
        "sound": found.sound,
        "shards": found.shards,
        "snapshots": found.snapshots,
        "leftovers": list(found.leftovers),
        "left_behind": list(found.left_behind),
        "fault_count": found.fault_count,
        "faults": list(found.faults),
    }


def _show(found: VerificationReport) -> None:
    counts = found.counts
    for fault in found.faults:
        print(f"fault: {fault}")
    if found.fault_count > len(found.faults):
        print(f"... and {found.fault_count - len(found.faults)} more")
    for name in found.leftovers:
        print(f"note: snapshots/{name} is of a compaction at work, or of one that was killed; the next one removes it")
    for name in found.left_behind:
        print(f"note: {name} was left by a process that was killed; the next job on the store removes it")
    verdict = "sound" if found.sound else f"NOT sound: {spoken_count(found.fault_count, 'fault')}"
    print(
        f"{verdict}: {spoken_count(found.shards, 'shard')}, {spoken_count(counts.records_in, 'record')}, "
        f"{spoken_count(counts.mentions, 'mention')} checked against their text, "
        f"{spoken_count(found.snapshots, 'snapshot')}"
    )
