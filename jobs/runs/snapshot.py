"""Making a snapshot: for `bioner compact`, and at the end of a nightly run."""

from bioner_core.store.compaction.compact import CompactionReport, CompactionSettings, CompactionWatch, compact_store
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store
from jobs.options.common import bytes_of
from jobs.options.sync import SnapshotOptions
from jobs.runs.locking import held_lock
from jobs.terminal.console import say
from jobs.terminal.progress import ProgressBar
from pipelines.job_report import renew_reports
from pipelines.watch.run_history import run_history

_LEAST_MEMORY = 256 * 1024**2


def compact_locked(
    store: Store, settings: CompactionSettings, *, wait_seconds: float, progress: ProgressBar, quiet: bool = False
) -> CompactionReport:
    """Compact while no other job is at work on the store.

    Raises:
        StoreError: another job holds the store, or as `compact_store`.
    """
    with held_lock(store, purpose="bioner compact", quiet=quiet, wait_seconds=wait_seconds) as lock:
        return compact_held(store, settings, lock=lock, progress=progress)


def compact_held(
    store: Store, settings: CompactionSettings, *, lock: StoreLock, progress: ProgressBar
) -> CompactionReport:
    """Compact under a lock that is held already.

    Raises:
        StoreError: as `compact_store`.
    """
    for renewed in renew_reports(store):
        say(f"note: {renewed}")
    watch = CompactionWatch(progress.planned, progress.done, lock.check)
    return compact_store(store, settings, history=run_history(store), watch=watch)


def settings_of(*, keep: int, memory: str, memory_option: str, file_size: str = "256MB") -> CompactionSettings:
    """What the options say; `memory_option` is the name of the one that `memory` comes from.

    Raises:
        ConfigurationError: a size cannot be read, or is too small.
    """
    memory_bytes = bytes_of(memory, option=memory_option, least=_LEAST_MEMORY)
    return CompactionSettings(
        keep=keep, memory_bytes=memory_bytes, file_bytes=bytes_of(file_size, option="--file-size", least=1)
    )


def snapshot_settings(options: SnapshotOptions) -> CompactionSettings | None:
    """How a nightly run makes its snapshot, or None where there shall be none.

    Raises:
        ConfigurationError: the size of the memory cannot be read, or is too small.
    """
    chosen = settings_of(keep=options.keep_snapshots, memory=options.snapshot_memory, memory_option="--snapshot-memory")
    return None if options.no_snapshot else chosen
