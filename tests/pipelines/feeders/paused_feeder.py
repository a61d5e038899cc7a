"""A feeder that is stopped (SIGSTOP) in the middle of its first commit: its files are there, its manifest is not.

Arguments are a store and an input.
"""

import os
import signal
import sys
from pathlib import Path

from annotate_fakes import CountingProgress, WordService, make_job

from bioner_core.store import shard_writer
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Manifest, write_manifest
from pipelines.feeders.file_end import job_summary
from pipelines.feeders.files_ahead import FilesAhead
from pipelines.feeders.ray_feeders import FeederPlaces


def _pause_first(store: Store, manifest: Manifest) -> None:
    shard_writer.write_manifest = write_manifest  # type: ignore[attr-defined]
    os.kill(os.getpid(), signal.SIGSTOP)
    write_manifest(store, manifest)


def main() -> None:
    """Annotate the input, and pause."""
    job = make_job(Path(sys.argv[1]), sys.argv[2])
    shard_writer.write_manifest = _pause_first  # type: ignore[attr-defined]
    ahead = FilesAhead[str](job, start=lambda: FeederPlaces(job, WordService), progress=CountingProgress(), tell=print)
    sys.exit(job_summary(job, ahead.run(job.inputs, str)).exit_code())


if __name__ == "__main__":
    main()
