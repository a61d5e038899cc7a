"""When this process began: whoever waits for a command has waited for its imports too."""

import os
import time
from pathlib import Path

_STAT = Path("/proc/self/stat")
_START_FIELD, _FIRST_FIELD = 22, 3
_AT_IMPORT = time.monotonic()


def process_started() -> float:
    """The instant, by the monotonic clock; where the system does not tell (not Linux), that of this module's import."""
    if not _STAT.is_file():
        return _AT_IMPORT
    fields = _STAT.read_text(encoding="utf-8").rpartition(")")[2].split()  # the name before it may hold anything
    since_boot = int(fields[_START_FIELD - _FIRST_FIELD]) / os.sysconf("SC_CLK_TCK")
    return time.monotonic() - (time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot)
