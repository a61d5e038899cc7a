"""What a store of many shards costs to plan, look at and check: `python -m devtools.bench_shards --shards 1000 10000`.

Each size is a store of its own, of shards of one record, a hundred per input. The first input is written as any other;
the rest are hard links of its files under names of their own, with manifests of their own, so that a store of many
shards is made in minutes. Its documents are a hundred that come again in each input.

The seconds per shard of the largest store through those of the smallest say whether a step is linear (1) or worse: with
a quadratic one, the ratio is that of the sizes. Seconds are those of the processor: by the clock, a busy machine makes
the same work longer.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bioner_core.errors import EXIT_FAILED, BionerError
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.history.current import current_shards
from bioner_core.store.layout import Store, input_key, shard_id
from bioner_core.store.manifest import Manifest, StoredFile
from bioner_core.store.names import list_names
from bioner_core.store.reading import left_out_shards, read_manifests
from devtools.synthetic_store import Scale, make_synthetic_store
from jobs.terminal.console import say, say_error
from pipelines.plan import plan_input
from pipelines.watch.status import store_status

STEPS = ("plan", "left out", "status", "document indexes", "compaction's order", "verify")
"""What is timed, in this order; the third and the fifth are what `bioner status` and the planning of `compact` do."""

_SHARDS_PER_INPUT = 100
_MENTIONS_PER_DOCUMENT = 3
_NEW_INPUTS = 20
"""Inputs that are planned anew against the store: a listing for each of them would show."""


@dataclass(frozen=True, slots=True)
class ShardsBench:
    """Processor seconds of each step by number of shards, and per shard those of the most through those of the fewest.

    `clock` has the same by the clock, `megabytes` the most memory that the process had held by the end of the step.
    """

    seconds: dict[str, dict[int, float]]
    growth: dict[str, float]
    clock: dict[str, dict[int, float]]
    megabytes: dict[str, dict[int, float]]


def bench_shards(folder: Path, sizes: Sequence[int], *, steps: Sequence[str] = STEPS) -> ShardsBench:
    """Make a store of each size in `folder`, and time what looks at all of its shards.

    Raises:
        BionerError: a store cannot be made or read.
    """
    found = ShardsBench({}, {}, {}, {})
    # A store of one shard first, of which nothing is kept: whatever comes first also loads the code.
    for size, told in ((1, ShardsBench({}, {}, {}, {})), *((size, found) for size in sorted(sizes))):
        store = Store(folder / f"shards-{size}-{told is found}")
        say(f"making {size} shards ...")
        make_store_of_shards(store, size)
        for name, step in _steps(store, _new_inputs(folder, size)).items():
            if name in steps:
                _time(told, name, size, step)
    few, many = min(sizes), max(sizes)
    for name, seconds in found.seconds.items():
        found.growth[name] = round(seconds[many] / many / (seconds[few] / few), 2)
    return found


def make_store_of_shards(store: Store, shards: int) -> None:
    """Commit shards of one record each, all but the first input's as hard links of those.

    Raises:
        StoreError: the store cannot be written.
    """
    first = min(shards, _SHARDS_PER_INPUT)
    make_synthetic_store(store, Scale(documents=first, mentions=first * _MENTIONS_PER_DOCUMENT), records_per_shard=1)
    made = list(read_manifests(store))
    for number in range(first, shards):
        _commit_again(store, made[number % first], f"again{number // first:06d}.xml.gz")


def _commit_again(store: Store, manifest: Manifest, name: str) -> None:
    """The same shard as one of another input."""
    shard = shard_id(input_key(name, name), manifest.first, last=manifest.last)
    files = tuple(_linked(store, file, file.path.replace(manifest.shard_id, shard)) for file in manifest.files)
    again = replace(manifest, shard_id=shard, input_file=name, input_digest=name, files=files)
    # Not `write_manifest`, which waits for the disk: nobody needs this store after a loss of power.
    (store.folder / store.name_of(store.manifest(shard))).write_text(again.to_json(), encoding="utf-8")


def _linked(store: Store, file: StoredFile, path: str) -> StoredFile:
    new = store.folder / path
    new.parent.mkdir(parents=True, exist_ok=True)
    os.link(store.folder / file.path, new)
    return replace(file, path=path)


def _time(found: ShardsBench, name: str, size: int, step: Callable[[], object]) -> None:
    by_clock, started = time.monotonic(), time.process_time()
    step()
    seconds = found.seconds.setdefault(name, {})[size] = round(time.process_time() - started, 4)
    clock = found.clock.setdefault(name, {})[size] = round(time.monotonic() - by_clock, 4)
    megabytes = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    found.megabytes.setdefault(name, {})[size] = megabytes
    say(f"  {name}: {seconds} s of the processor, {clock} s by the clock, {megabytes} MB")


def _steps(store: Store, inputs: Sequence[str]) -> Mapping[str, Callable[[], object]]:
    def plan() -> None:
        names = list_names(store)
        for one in inputs:
            plan_input(one, store=store, shard_records=200, names=names)

    return {
        "plan": plan,
        "left out": lambda: left_out_shards(store),  # what each run on the store asks first
        "status": lambda: store_status(store),
        "document indexes": lambda: sum(1 for _ in current_shards(store)),  # the first time they are made
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
    parser.add_argument("--shards", type=int, nargs="+", default=[1_000, 10_000], help="sizes of stores (1000 10000)")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=STEPS, help="what to time (everything)")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as folder:
            found = bench_shards(Path(folder), options.shards, steps=options.steps)
    except BionerError as error:
        say_error(str(error))
        return EXIT_FAILED
    print(json.dumps(asdict(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
