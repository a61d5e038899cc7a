"""`bioner` with a death in it: arguments are how many manifests to write before SIGKILL, and then those of the command.

The signal comes when the data files of the next shard have their names and its manifest has not.
"""

import os
import signal
import sys
from typing import Any

from bioner_core.store import atomic
from jobs.main import main


def _die_before_manifest(left: int) -> None:
    replace = atomic.os.replace

    def counted(source: Any, target: Any) -> None:
        nonlocal left
        if os.path.basename(os.path.dirname(target)) == "manifests":
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
        replace(source, target)

    atomic.os.replace = counted  # type: ignore[assignment]


if __name__ == "__main__":
    _die_before_manifest(int(sys.argv.pop(1)))
    main()
