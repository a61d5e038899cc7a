"""The most memory that this process has had."""

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_PEAK = "VmHWM:"
_RESET = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


def peak_memory() -> int:
    """Bytes of resident memory at their highest, since the process began or since `forget_peak_memory`."""
    if _STATUS.is_file():
        for line in _STATUS.read_text(encoding="utf-8").splitlines():
            if line.startswith(_PEAK):
                return int(line.split()[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def forget_peak_memory() -> None:
    """Let the peak be counted from now on, where the system can do that (Linux)."""
    if _RESET.exists():
        _RESET.write_text(_RESET_PEAK, encoding="utf-8")
