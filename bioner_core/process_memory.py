"""How much memory this process had at most, as the operating system counts it."""

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_PEAK = "VmHWM:"


def peak_memory() -> int:
    """Bytes of resident memory at their highest since the process began, or since the system was told to forget.

    Linux's own line comes first: what `getrusage` says of a process includes what the one that started it had then.
    """
    if _STATUS.is_file():
        for line in _STATUS.read_text(encoding="utf-8").splitlines():
            if line.startswith(_PEAK):
                return int(line.split()[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
