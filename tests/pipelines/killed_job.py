"""A job in a process of its own that ends itself with a signal: arguments are store, input, signal and countdown.

The countdown counts durable renames (plan, data files, manifests); the signal comes just before the last one.
"""

import signal
import sys
from pathlib import Path

from annotate_fakes import make_job, run
from rename_countdown import end_before_rename


def main() -> None:
    """Run the job until the countdown ends."""
    store, name, number, countdown = Path(sys.argv[1]), sys.argv[2], signal.Signals[sys.argv[3]], int(sys.argv[4])
    end_before_rename(countdown, number)
    run(make_job(store, name))


if __name__ == "__main__":
    main()
