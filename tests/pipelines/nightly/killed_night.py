"""Nightly PubMed jobs, each in a process of its own that kills itself: a line `countdown place store` asks for one.

The countdown counts durable renames (plans, tables, manifests, indexes, ledger); the signal comes before the last. The
answer is a line with how the process ended, as `subprocess` numbers it. Each night is forked from this process, which
has loaded Beam and pyarrow and started no thread: of a test with forty nights, loading them was most.
"""

import multiprocessing
import sys
from pathlib import Path

from night_samples import WordAnnotator, night
from rename_countdown import end_before_rename


def main() -> None:
    """Run a night for each line until there are no more."""
    forking = multiprocessing.get_context("fork")
    for line in sys.stdin:
        countdown, place, store = line.rstrip("\n").split(" ", 2)
        child = forking.Process(target=_one_night, args=(Path(store), place, int(countdown)))
        child.start()
        child.join()
        print(child.exitcode, flush=True)


def _one_night(store: Path, place: str, countdown: int) -> None:
    """Run the night until the countdown ends."""
    sys.stdout = sys.stderr  # answers alone go to the one who asked
    end_before_rename(countdown)
    night(store, place, annotator=WordAnnotator(store, shard_records=100))


if __name__ == "__main__":
    main()
