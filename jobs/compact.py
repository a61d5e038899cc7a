"""`bioner compact`: a snapshot of the newest version of every document, for analysts."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.console import only_results_on_stdout, print_result, require_store, say
from jobs.memory_size import bytes_of
from jobs.options import Json, Quiet, Store, Wait

if TYPE_CHECKING:
    from bioner_core.store.compaction.compact import CompactionReport, CompactionSettings
    from bioner_core.store.history.lock import StoreLock
    from jobs.progress_bar import ProgressBar

HELP = """
Make a snapshot: the newest version of every document and its mentions in few large files, sorted, deletions applied.
It is made beside the old one and shown when it is whole. Where nothing was committed since, nothing is done.

\b
Example:
  bioner compact --store my-store --keep 3 --memory 4GB
"""

_LEAST_MEMORY = 256 * 1024**2

Keep = Annotated[int, typer.Option(min=1, help="How many snapshots stay, the new one among them.")]
Memory = Annotated[str, typer.Option(help="About how much memory to use; the rest goes to disk beside the snapshot.")]
FileSize = Annotated[str, typer.Option(help="How large a file grows before the next one begins.")]


def compact(
    store: Store,
    keep: Keep = 2,
    memory: Memory = "2GB",
    file_size: FileSize = "256MB",
    wait: Wait = 0.0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Make a snapshot; returns the exit code."""
    with only_results_on_stdout():
        from jobs.progress_bar import ProgressBar

        settings = settings_of(keep=keep, memory=memory, memory_option="--memory", file_size=file_size)
        require_store(store)
        with ProgressBar("shard tables", quiet=quiet) as progress:
            found = compact_locked(store, settings, wait_seconds=wait, progress=progress)
    print_result(as_object(found), as_json=as_json, show=lambda: _show(found))
    return 0


def compact_locked(
    store: Path, settings: "CompactionSettings", *, wait_seconds: float, progress: "ProgressBar"
) -> "CompactionReport":
    """Compact while no other job is at work on the store.

    Raises:
        StoreError: another job holds the store, or as `compact_store`.
    """
    from bioner_core.store.history.lock import StoreLock

    with StoreLock(store, purpose="bioner compact", wait_seconds=wait_seconds) as lock:
        if lock.took_over:
            say(f"took over the lock of a job that has died: {lock.took_over}")
        return compact_held(store, settings, lock=lock, progress=progress)


def compact_held(
    store: Path, settings: "CompactionSettings", *, lock: "StoreLock", progress: "ProgressBar"
) -> "CompactionReport":
    """Compact under a lock that is held already.

    Raises:
        StoreError: as `compact_store`.
    """
    from bioner_core.store.compaction.compact import CompactionWatch, compact_store
    from pipelines.watch.run_history import run_history

    watch = CompactionWatch(progress.planned, progress.done, lock.check)
    return compact_store(store, settings, history=run_history(store), watch=watch)


def settings_of(*, keep: int, memory: str, memory_option: str, file_size: str = "256MB") -> "CompactionSettings":
    """What the options say; `memory_option` is the name of the one that `memory` comes from.

    Raises:
        ConfigurationError: a size cannot be read, or is too small.
    """
    from bioner_core.store.compaction.compact import CompactionSettings

    memory_bytes = bytes_of(memory, option=memory_option, least=_LEAST_MEMORY)
    return CompactionSettings(
        keep=keep, memory_bytes=memory_bytes, file_bytes=bytes_of(file_size, option="--file-size", least=1)
    )


def as_object(found: "CompactionReport") -> dict[str, object]:
    """The report as a flat JSON object: the counts of the snapshot, and what was done."""
    flat = asdict(found.manifest)
    files = flat.pop("files")
    return flat | {
        "made": found.made,
        "removed": list(found.removed),
        "files": len(files),
        "bytes": sum(file["bytes"] for file in files),
    }


def _show(found: "CompactionReport") -> None:
    made = found.manifest
    print(f"snapshot   {made.snapshot_id}{'' if found.made else ' (is of this state already: nothing to do)'}")
    print(f"documents  {made.documents} of {made.shards} shards")
    print(f"mentions   {made.mentions}, {made.mentions_accepted} accepted")
    print(f"files      {len(made.files)}, {sum(file.bytes for file in made.files) / 1e6:.1f} MB")
    if found.removed:
        print(f"removed    {', '.join(found.removed)}")
