"""A retry in a process of its own that kills itself: arguments are store, input and countdown of durable renames."""

import sys
from pathlib import Path

from annotate_fakes import WordService, make_job
from rename_countdown import end_before_rename

from bioner_core.store.layout import Store
from pipelines.retry import PASSING_REASONS, faulty_shards, retry_shards


def main() -> None:
    """Retry until the countdown ends, just before the last rename."""
    store, name, countdown = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    end_before_rename(countdown)
    job = make_job(store, name, shard_records=3)
    shards = faulty_shards(Store(store), PASSING_REASONS)
    retry_shards(shards, job=job, service=WordService(), reasons=PASSING_REASONS, places={})


if __name__ == "__main__":
    main()
