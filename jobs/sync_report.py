"""Showing what a nightly run or a backfill did, or what it would do."""

from typing import TYPE_CHECKING

from jobs.console import print_result, say, warn

if TYPE_CHECKING:
    from jobs.sync_plan import SyncPlan
    from pipelines.nightly.report import SyncReport


def report(found: "SyncReport | SyncPlan", *, as_json: bool) -> int:
    """Print a result, faults and notes a line each on standard error; returns the exit code."""
    for fault in found.failures:
        warn(fault)
    for note in found.notes:
        say(f"note: {note}")
    print_result(found.as_json(), as_json=as_json, show=lambda: print("\n".join(found.lines())))
    return found.exit_code()
