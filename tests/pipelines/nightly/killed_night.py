"""A nightly PubMed job in a process of its own that kills itself: arguments are store, place and countdown.

The countdown counts durable renames (plans, tables, manifests, indexes, ledger); the signal comes before the last.
"""

import sys
from pathlib import Path

from night_samples import WordAnnotator, night
from rename_countdown import end_before_rename


def main() -> None:
    """Run the night until the countdown ends."""
    store, place, countdown = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    end_before_rename(countdown)
    night(store, place, annotator=WordAnnotator(store, shard_records=200))


if __name__ == "__main__":
    main()
