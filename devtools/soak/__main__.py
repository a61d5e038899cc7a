"""`python -m devtools.soak`: faults at random times, and rows that must not care."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bioner_core.errors import EXIT_FAILED, EXIT_INTERRUPTED
from devtools.soak.faults import FaultKind
from devtools.soak.object_storage import StoreKind
from devtools.soak.run import SoakSettings, run_soak
from jobs.terminal.console import say
from jobs.terminal.process import take_signals


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak; returns 1 if any job's rows differ from its undisturbed run, or any process is left over."""
    parser = argparse.ArgumentParser(prog="python -m devtools.soak", description=__doc__)
    parser.add_argument("--faults", type=int, default=200, help="how many faults to do")
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="a new folder for what it writes")
    parser.add_argument("--gap", type=float, default=4.0, metavar="SECONDS", help="mean time between two faults")
    parser.add_argument("--deadline", type=float, default=3.0, metavar="SECONDS", help="when a batch is overdue")
    parser.add_argument("--without", type=FaultKind, nargs="*", default=[], choices=list(FaultKind), metavar="KIND")
    parser.add_argument("--pools", type=int, default=1, help="pools that run jobs side by side, with two actors each")
    parser.add_argument("--feeders", type=int, default=1, help="processes that a job's shards are given to")
    parser.add_argument("--stores", type=StoreKind, nargs="+", default=[StoreKind.LOCAL], choices=list(StoreKind))
    parser.add_argument("--json", action="store_true", help="print one JSON object, and nothing else")
    options = parser.parse_args(arguments)
    if options.pools < 1 or options.feeders < 1:
        parser.error("--pools, --feeders: give numbers from 1")
    settings = SoakSettings(
        faults=options.faults,
        seed=options.seed,
        output=options.output,
        kinds=tuple(kind for kind in FaultKind if kind not in options.without),
        gap_seconds=options.gap,
        deadline_seconds=options.deadline,
        pools=options.pools,
        feeders=options.feeders,
        stores=tuple(options.stores),
    )
    take_signals()
    try:
        found = run_soak(settings)
    except KeyboardInterrupt:
        say("interrupted: all that the soak started has ended")
        return EXIT_INTERRUPTED
    (options.output / "summary.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if options.json:
        print(json.dumps(found))
    else:
        _show(found)
    return EXIT_FAILED if found["jobs_wrong"] or found["orphans"] else 0


def _show(found: dict[str, Any]) -> None:
    say(f"{found['faults']} faults {found['faults_by_kind']} in {found['seconds']:.0f} s")
    say(f"{found['jobs']} jobs, {found['jobs_wrong']} of them wrong; {len(found['orphans'])} processes left over")
    for role, memory in found["memory"].items():
        say(f"{role}: {memory['first_tenth_mb']} MB at first, {memory['last_tenth_mb']} MB at last")


if __name__ == "__main__":
    sys.exit(main())
