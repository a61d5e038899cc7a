"""`bioner compact`: a snapshot of the newest version of every document, for analysts."""

from dataclasses import asdict
from typing import Annotated

import typer

from bioner_core.spoken import spoken_count
from bioner_core.store.compaction.compact import CompactionReport
from jobs.options.common import Json, Quiet, StoreOption, Wait
from jobs.runs.snapshot import compact_locked, settings_of
from jobs.terminal.console import only_results_on_stdout, print_result, require_store
from jobs.terminal.progress import ProgressBar

HELP = """
Make a snapshot: the newest version of every document and its mentions in few large files, sorted, deletions applied.
It is made beside the old one and shown when it is whole. Where nothing was committed since, nothing is done.

\b
Example:
  bioner compact --store my-store --keep 3 --memory 4GB
"""

Keep = Annotated[int, typer.Option(min=1, help="How many snapshots stay, the new one among them.")]
Memory = Annotated[str, typer.Option(help="About how much memory to use; the rest goes to disk beside the snapshot.")]
FileSize = Annotated[str, typer.Option(help="How large a file grows before the next one begins.")]


def compact(
    store: StoreOption,
    keep: Keep = 2,
    memory: Memory = "2GB",
    file_size: FileSize = "256MB",
    wait: Wait = 0.0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Make a snapshot; returns the exit code."""
    with only_results_on_stdout():
        settings = settings_of(keep=keep, memory=memory, memory_option="--memory", file_size=file_size)
        require_store(store)
        with ProgressBar("shard tables", quiet=quiet) as progress:
            found = compact_locked(store, settings, wait_seconds=wait, progress=progress, quiet=quiet)
    print_result(as_object(found), as_json=as_json, show=lambda: _show(found))
    return 0


def as_object(found: CompactionReport) -> dict[str, object]:
    """The report as a flat JSON object: the counts of the snapshot, and what was done."""
    flat = asdict(found.manifest)
    files = flat.pop("files")
    return flat | {
        "made": found.made,
        "removed": list(found.removed),
        "files": len(files),
        "bytes": sum(file["bytes"] for file in files),
    }


def _show(found: CompactionReport) -> None:
    made = found.manifest
    print(f"snapshot   {made.snapshot_id}{'' if found.made else ' (already up to date, nothing to do)'}")
    print(f"documents  {made.documents} of {spoken_count(made.shards, 'shard')}")
    print(f"mentions   {made.mentions}, {made.mentions_accepted} accepted")
    if len(made.fingerprints) > 1:
        shares = ", ".join(f"{one[:16]} ({spoken_count(count, 'shard')})" for one, count in made.fingerprints.items())
        print(f"models     {len(made.fingerprints)}: {shares}; `bioner query --model` shows one of them")
    print(f"files      {len(made.files)}, {sum(file.bytes for file in made.files) / 1e6:.1f} MB")
    if found.removed:
        print(f"removed    {', '.join(found.removed)}")
