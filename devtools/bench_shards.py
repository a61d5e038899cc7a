"""What a store of many shards costs to plan, look at and check: `python -m devtools.bench_shards --shards 1000 10000`.

Stores of different sizes are made of shards of one record each and measured in one run. The seconds per shard of the
largest through those of the smallest say whether a step is linear (1) or worse: with a quadratic one, the ratio is that
of the sizes.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bioner_core.errors import BionerError
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.history.current import current_shards
from bioner_core.store.layout import Store
from bioner_core.store.names import list_names
from devtools.synthetic_store import Scale, make_synthetic_store
from jobs.terminal.console import EXIT_FAILED, say, warn
from pipelines.plan import plan_input
from pipelines.watch.status import store_status

_MENTIONS_PER_DOCUMENT = 3
_NEW_INPUTS = 20
"""Inputs that are planned anew against the store: a listing for each of them would show."""


@dataclass(frozen=True, slots=True)
class ShardsBench:
    """Seconds of each step by number of shards, and per shard those of the most through those of the fewest."""

    seconds: dict[str, dict[int, float]]
    growth: dict[str, float]


def bench_shards(folder: Path, sizes: Sequence[int]) -> ShardsBench:
    """Make a store of each size in `folder`, and time what looks at all of its shards.

    Raises:
        BionerError: a store cannot be made or read.
    """
    seconds: dict[str, dict[int, float]] = {}
    for size in sorted(sizes):
        store = Store(folder / f"shards-{size}")
        say(f"making {size} shards ...")
        make_synthetic_store(store, Scale(documents=size, mentions=size * _MENTIONS_PER_DOCUMENT), records_per_shard=1)
        inputs = _new_inputs(folder, size)
        for name, step in _steps(store, inputs).items():
            started = time.monotonic()
            step()
            seconds.setdefault(name, {})[size] = round(time.monotonic() - started, 3)
            say(f"  {name}: {seconds[name][size]} s")
    few, many = min(sizes), max(sizes)
    growth = {name: round(found[many] / many / (found[few] / few), 2) for name, found in seconds.items()}
    return ShardsBench(seconds, growth)


def _steps(store: Store, inputs: Sequence[str]) -> Mapping[str, Callable[[], object]]:
    def plan() -> None:
        names = list_names(store)
        for one in inputs:
            plan_input(one, store=store, shard_records=200, names=names)

    return {
        "document indexes": lambda: sum(1 for _ in current_shards(store)),  # the first time they are made
        "plan": plan,
        "status": lambda: store_status(store),
        "compaction's order": lambda: sum(1 for _ in current_shards(store)),
        "verify": lambda: verify_store(store),
    }


def _new_inputs(folder: Path, size: int) -> list[str]:
    names = [folder / f"new-{size}-{number}.jsonl" for number in range(_NEW_INPUTS)]
    for number, path in enumerate(names):
        path.write_text(json.dumps({"id": f"{size}-{number}", "text": "CD28 binds."}) + "\n", encoding="utf-8")
    return [str(path) for path in names]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench and print one JSON object; returns the exit code."""
    parser = argparse.ArgumentParser(description="Time what looks at all shards of a store.")
    parser.add_argument("--shards", type=int, nargs="+", default=[1_000, 10_000])
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as folder:
            found = bench_shards(Path(folder), options.shards)
    except BionerError as error:
        warn(str(error))
        return EXIT_FAILED
    print(json.dumps(asdict(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
