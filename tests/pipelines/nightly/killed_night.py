"""A PubMed night in a process of its own that kills itself: arguments are store, place and countdown.

The countdown counts durable renames (plans, tables, manifests, indexes, ledger); the signal comes before the last.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from night_samples import WordAnnotator, night

from bioner_core.store import atomic


def main() -> None:
    """Run the night until the countdown ends."""
    store, place, countdown = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    replace = atomic.os.replace

    def counted(*arguments: Any) -> None:
        nonlocal countdown
        countdown -= 1
        if countdown == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        replace(*arguments)

    atomic.os.replace = counted  # type: ignore[assignment]
    night(store, place, annotator=WordAnnotator(store, shard_records=100))


if __name__ == "__main__":
    main()
