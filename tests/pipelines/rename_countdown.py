"""A process that ends itself just before its n-th durable rename (plans, tables, manifests, indexes, ledger)."""

import os
import signal
from typing import Any

from bioner_core.store import atomic


def end_before_rename(countdown: int, number: signal.Signals = signal.SIGKILL) -> None:
    """From here on count the renames of this process, and send it the signal before the last one."""
    replace = atomic.os.replace
    left = countdown

    def counted(*arguments: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), number)
        replace(*arguments)

    atomic.os.replace = counted  # type: ignore[assignment]
